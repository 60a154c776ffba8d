// Command hello is a function without a framework: an HTTP server on port 8080 that greets, and that ends as Swarm asks it to.
package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// limit is how long a request may take to arrive, and its answer to leave. Those in flight at a SIGTERM have as long: Swarm gives a function
// the gateway's time limit before it kills it.
const limit = 30 * time.Second

// linger is how long answers say so before connections are closed: one that is closed as a call is on its way loses it.
const linger = time.Second

func main() {
	// The image has no shell and no curl: the program checks itself.
	if len(os.Args) > 1 && os.Args[1] == "--healthcheck" {
		os.Exit(healthcheck("http://127.0.0.1:" + port() + "/_/health"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	listener, err := net.Listen("tcp", ":"+port())
	if err == nil {
		err = serve(ctx, listener, limit)
	}
	if err != nil {
		slog.Error("hello ended", "error", err)
		os.Exit(1)
	}
}

func port() string {
	if value := os.Getenv("port"); value != "" {
		return value
	}
	return "8080"
}

// serve answers on the listener until the context ends, then lets requests in flight finish, for as long as drain.
func serve(ctx context.Context, listener net.Listener, drain time.Duration) error {
	host, _ := os.Hostname()
	var stopping atomic.Bool
	server := &http.Server{
		Handler:           untilStopped(&stopping, newHandler(host)),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       limit,
		WriteTimeout:      limit,
		IdleTimeout:       90 * time.Second,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	slog.Info("hello listens", "address", listener.Addr().String())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stopping.Store(true)
	time.Sleep(linger)
	bounded, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	err := server.Shutdown(bounded)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("requests were still in flight when the time to finish them was over")
	}
	return err
}

// untilStopped keeps connections until it is told to stop: from then on each answer is the last one of its connection.
func untilStopped(stopping *atomic.Bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
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
