package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func call(t *testing.T, method, target, contentType, body string) (int, map[string]any) {
	t.Helper()
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	request.Header.Set("Content-Type", contentType)
	recorder := httptest.NewRecorder()
	newHandler("test-host").ServeHTTP(recorder, request)
	if got := recorder.Header().Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
	var answer map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
		t.Fatalf("not JSON: %s", recorder.Body)
	}
	return recorder.Code, answer
}

func TestGreets(t *testing.T) {
	cases := []struct{ target, contentType, body, message string }{
		{"/", "", "", "Hello, world!"},
		{"/?name=Kari", "", "", "Hello, Kari!"},
		{"/?name=Kari", "text/plain", "Ola", "Hello, Kari!"},
		{"/", "text/plain", " Ola\n", "Hello, Ola!"},
		{"/", "application/json", `{"name":"Åse"}`, "Hello, Åse!"},
		{"/", "application/json", `{}`, "Hello, world!"},
		{"/", "", "<b>", "Hello, <b>!"},
	}
	for _, c := range cases {
		status, answer := call(t, http.MethodPost, c.target, c.contentType, c.body)
		if status != http.StatusOK || answer["message"] != c.message {
			t.Errorf("%s %q: %d %v, want %q", c.target, c.body, status, answer["message"], c.message)
		}
	}
}

func TestTellsWhatItWasAsked(t *testing.T) {
	_, answer := call(t, http.MethodPut, "/a/b?x=1&x=2", "", "")
	query, _ := answer["query"].(map[string]any)
	values, _ := query["x"].([]any)
	if answer["hostname"] != "test-host" || answer["method"] != "PUT" || answer["path"] != "/a/b" || len(values) != 2 {
		t.Errorf("got %v", answer)
	}
}

func TestRefuses(t *testing.T) {
	cases := []struct {
		target, contentType, body, reason string
		status                            int
	}{
		{"/", "application/json", "{", "not JSON", 400},
		{"/", "application/json", `{"name":7}`, "not JSON", 400},
		{"/?name=%ff", "", "", "not UTF-8", 400},
		{"/", "", strings.Repeat("x", maxName+1), "longer than 200", 400},
		{"/", "", strings.Repeat("x", maxBody+1), "larger than 64 KiB", 413},
	}
	for _, c := range cases {
		status, answer := call(t, http.MethodPost, c.target, c.contentType, c.body)
		message, _ := answer["error"].(string)
		if status != c.status || !strings.Contains(message, c.reason) {
			t.Errorf("%.40q: %d %v, want %d %q", c.body, status, answer, c.status, c.reason)
		}
	}
}

func TestHealth(t *testing.T) {
	if status, _ := call(t, http.MethodGet, "/_/health", "", ""); status != http.StatusOK {
		t.Errorf("got %d", status)
	}
	server := httptest.NewServer(newHandler("h"))
	if code := healthcheck(server.URL + "/_/health"); code != 0 {
		t.Errorf("of a server that answers: %d", code)
	}
	server.Close()
	if code := healthcheck(server.URL + "/_/health"); code != 1 {
		t.Errorf("of a server that is gone: %d", code)
	}
}

// A request whose body is still on its way when SIGTERM comes is answered before the server ends.
func TestFinishesWhatIsInFlight(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener, 5*time.Second) }()

	body, writer := io.Pipe()
	answered := make(chan string, 1)
	go func() {
		response, err := http.Post("http://"+listener.Addr().String(), "text/plain", body)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		answered <- string(text)
	}()
	if _, err := writer.Write([]byte("Ka")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	cancel()
	time.Sleep(100 * time.Millisecond)
	last, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = last.Body.Close()
	if !last.Close {
		t.Error("an answer after the stop did not say that it is the last one of its connection")
	}
	time.Sleep(linger)
	if _, err := http.Get("http://" + listener.Addr().String()); err == nil {
		t.Error("a new connection was taken after the stop")
	}
	_, _ = writer.Write([]byte("ri"))
	_ = writer.Close()
	if text := <-answered; !strings.Contains(text, "Hello, Kari!") {
		t.Errorf("got %q", text)
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}
