// Peer is a plain reverse proxy, to compare with: peer LISTEN UPSTREAM.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	upstream := &url.URL{Scheme: "http", Host: os.Args[2]}
	log.Fatal(http.ListenAndServe(os.Args[1], &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 1024},
		// A client that ends is no news.
		ErrorLog: log.New(os.Stderr, "", 0),
	}))
}
