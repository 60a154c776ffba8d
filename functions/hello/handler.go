// Package function greets: a handler for `lang: go`.
package function

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxBody = 64 << 10
	maxName = 200
)

type greeting struct {
	Message  string              `json:"message"`
	Hostname string              `json:"hostname"`
	Method   string              `json:"method"`
	Path     string              `json:"path"`
	Query    map[string][]string `json:"query"`
	Time     string              `json:"time"`
}

type problem struct {
	Error string `json:"error"`
}

var host, _ = os.Hostname()

// Handle greets ?name=, or the name in a JSON body {"name": "…"}, or a body of plain text; the world where there is none.
func Handle(w http.ResponseWriter, r *http.Request) {
	name, status, err := nameOf(w, r)
	if err != nil {
		answer(w, status, problem{err.Error()})
		return
	}
	answer(w, http.StatusOK, greeting{
		Message:  "Hello, " + name + "!",
		Hostname: host,
		Method:   r.Method,
		Path:     r.URL.Path,
		Query:    r.URL.Query(),
		Time:     time.Now().UTC().Format(time.RFC3339Nano),
	})
}

func nameOf(w http.ResponseWriter, r *http.Request) (string, int, error) {
	name := r.URL.Query().Get("name")
	if name == "" {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return "", http.StatusRequestEntityTooLarge, errors.New("the body is larger than 64 KiB")
		}
		if err != nil {
			return "", http.StatusBadRequest, errors.New("the body could not be read")
		}
		if name, err = nameIn(body, r.Header.Get("Content-Type")); err != nil {
			return "", http.StatusBadRequest, err
		}
	}
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "world", 0, nil
	case !utf8.ValidString(name):
		return "", http.StatusBadRequest, errors.New("the name is not UTF-8")
	case utf8.RuneCountInString(name) > maxName:
		return "", http.StatusBadRequest, errors.New("the name is longer than 200 characters")
	}
	return name, 0, nil
}

func nameIn(body []byte, contentType string) (string, error) {
	if !strings.HasPrefix(contentType, "application/json") || len(body) == 0 {
		return string(body), nil
	}
	var document struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return "", errors.New(`the body is not JSON such as {"name": "Kari"}`)
	}
	return document.Name, nil
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value)
}
