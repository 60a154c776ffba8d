// Package function answers calls. More modules: `go get` in this folder, and commit go.mod and go.sum.
package function

import (
	"encoding/json"
	"io"
	"net/http"
)

// Handle answers one call; r.Context() ends when the caller goes or exec_timeout is over.
func Handle(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string]string{
		"message": "Hello from Go",
		"method":  r.Method,
		"path":    r.URL.Path,
		"body":    string(body),
	})
}
