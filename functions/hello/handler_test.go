package function

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func call(t *testing.T, method, target, contentType, body string) (int, map[string]any) {
	t.Helper()
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	request.Header.Set("Content-Type", contentType)
	recorder := httptest.NewRecorder()
	Handle(recorder, request)
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
	if answer["hostname"] != host || answer["method"] != "PUT" || answer["path"] != "/a/b" || len(values) != 2 {
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
