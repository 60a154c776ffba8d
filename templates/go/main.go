// Command function-server runs the package handler/function behind HTTP: health and readiness, limits of time and of calls at once, and an
// end without a lost call. The handler is `func Handle(w http.ResponseWriter, r *http.Request)`.
package main

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"handler/function"
)

// idle connections are the caller's to close: Go's clients keep theirs for 90 s.
const idle = 120 * time.Second

type settings struct {
	port string
	// read is until a request has arrived whole.
	read time.Duration
	// write is until the answer has left whole, however it goes; also what calls under way are given at the end.
	write time.Duration
	// exec is until the handler has come to its end: 504, or a cut where the answer has begun.
	exec time.Duration
	// inflight is calls at once; more are answered 429. 0: no limit.
	inflight int64
}

func main() {
	log.SetFlags(0)
	port := os.Getenv("port")
	if port == "" {
		port = "8080"
	}
	if len(os.Args) > 1 && os.Args[1] == "--healthcheck" {
		os.Exit(healthcheck("http://127.0.0.1:" + port + "/_/health"))
	}
	set := settings{
		port:     port,
		read:     duration("read_timeout", "60s"),
		write:    duration("write_timeout", "65s"),
		exec:     duration("exec_timeout", "60s"),
		inflight: count("max_inflight"),
	}
	if err := serve(set, function.Handle); err != nil {
		log.Fatal(err)
	}
}

// duration reads a duration as Go writes it, or whole seconds. 0 is no limit.
func duration(name, standard string) time.Duration {
	text := os.Getenv(name)
	if text == "" {
		text = standard
	}
	whole := text
	if _, err := strconv.ParseUint(text, 10, 64); err == nil {
		whole += "s"
	}
	value, err := time.ParseDuration(whole)
	if err != nil || strings.ContainsAny(text, "+-") {
		log.Fatalf("%s is %q; it has to be a duration such as 90s", name, text)
	}
	return value
}

func count(name string) int64 {
	text := os.Getenv(name)
	if text == "" {
		return 0
	}
	value, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		log.Fatalf("%s is %q; it has to be a whole number, 0 for no limit", name, text)
	}
	return int64(value)
}

// within is a context that ends after the limit; 0 is never.
func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

// A kept connection that is closed as a call is on its way loses it: for so long each answer first says that it is the last one.
const linger = time.Second

type server struct {
	settings
	handle   http.HandlerFunc
	busy     atomic.Int64
	stopping atomic.Bool
}

func serve(set settings, handle http.HandlerFunc) error {
	listener, err := net.Listen("tcp", ":"+set.port)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	s := &server{settings: set, handle: handle}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: min(set.read, 10*time.Second),
		ReadTimeout:       set.read,
		WriteTimeout:      set.write,
		IdleTimeout:       idle,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	log.Printf("listening on port %d, read_timeout %vs, write_timeout %vs, exec_timeout %vs",
		listener.Addr().(*net.TCPAddr).Port, set.read.Seconds(), set.write.Seconds(), set.exec.Seconds())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.stopping.Store(true)
	time.Sleep(linger)
	bounded, cancel := within(context.Background(), set.write)
	defer cancel()
	if err := server.Shutdown(bounded); err != nil {
		return errors.New("calls were still under way at the end")
	}
	return nil
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.stopping.Load() {
		w.Header().Set("Connection", "close")
	}
	switch r.URL.Path {
	case "/_/health":
		say(w, !s.stopping.Load(), "stopping")
		return
	case "/_/ready":
		say(w, !s.stopping.Load() && (s.inflight == 0 || s.busy.Load() < s.inflight), "busy")
		return
	}
	if busy := s.busy.Add(1); s.inflight > 0 && busy > s.inflight {
		s.busy.Add(-1)
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many calls at once", http.StatusTooManyRequests)
		return
	}
	defer s.busy.Add(-1)
	s.call(w, r)
}

// call runs the handler beside itself: a handler that does not look at its context cannot be ended, but it need not be waited for.
func (s *server) call(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := within(r.Context(), s.exec)
	defer cancel()
	guarded := &guard{inner: w, header: w.Header().Clone()}
	done := make(chan any, 1)
	go func() {
		defer func() {
			reason := recover()
			if reason != nil && reason != http.ErrAbortHandler {
				log.Printf("panic: %v\n%s", reason, debug.Stack())
			}
			done <- reason
		}()
		s.handle(guarded, r.WithContext(ctx))
	}()
	limit, stop := within(context.Background(), s.exec)
	defer stop()
	var reason any
	late := false
	select {
	case reason = <-done:
	case <-limit.Done():
		late = true
	}
	if reason == nil && !late {
		// Where the handler wrote nothing, its headers are the answer.
		guarded.WriteHeader(http.StatusOK)
		return
	}
	if begun := guarded.end(); begun {
		// What has begun is cut, so that the caller does not take it for whole.
		panic(http.ErrAbortHandler)
	}
	if late {
		w.Header().Set("Connection", "close")
		http.Error(w, "the function took too long", http.StatusGatewayTimeout)
		return
	}
	http.Error(w, "the function failed", http.StatusInternalServerError)
}

// guard lets nothing through after the end: the handler may still be at work then.
type guard struct {
	mutex   sync.Mutex
	inner   http.ResponseWriter
	header  http.Header
	written bool
	ended   bool
}

func (g *guard) Header() http.Header { return g.header }

func (g *guard) WriteHeader(status int) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.writeHeader(status)
}

func (g *guard) writeHeader(status int) {
	if g.ended || g.written {
		return
	}
	to := g.inner.Header()
	for name, values := range g.header {
		to[name] = values
	}
	// 1xx answers come before the one that counts.
	g.written = status >= 200
	g.inner.WriteHeader(status)
}

func (g *guard) Write(data []byte) (int, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.ended {
		return 0, http.ErrHandlerTimeout
	}
	if !g.written && g.header.Get("Content-Type") == "" {
		g.header.Set("Content-Type", http.DetectContentType(data))
	}
	g.writeHeader(http.StatusOK)
	return g.inner.Write(data)
}

// Flush sends what was written so far: an answer in pieces.
func (g *guard) Flush() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.ended {
		return
	}
	g.writeHeader(http.StatusOK)
	_ = http.NewResponseController(g.inner).Flush()
}

// end closes the guard, and says whether the answer had begun before.
func (g *guard) end() bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.ended = true
	return g.written
}

func say(w http.ResponseWriter, ok bool, otherwise string) {
	if !ok {
		http.Error(w, otherwise, http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("OK\n"))
}

func healthcheck(url string) int {
	client := http.Client{Timeout: 2 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return 1
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 1
	}
	return 0
}
