// Package function is what templates.test.ts calls, in the words of this language. A call that waits does so for the file named by
// `release`.
package function

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"time"
)

func released() {
	for {
		if _, err := os.Stat(os.Getenv("release")); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Handle answers one call.
func Handle(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/echo":
		_, _ = io.Copy(w, r.Body)
		return
	case "/fail":
		panic("no such fjord")
	case "/stream":
		_, _ = io.WriteString(w, "one\n")
		w.(http.Flusher).Flush()
		released()
		_, _ = io.WriteString(w, "two\n")
		return
	case "/status":
		w.Header().Set("X-Kind", "teapot")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
		return
	case "/wait":
		released()
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the request did not arrive", http.StatusRequestTimeout)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"body": string(body)})
}
