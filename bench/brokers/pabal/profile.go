package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof" // at /debug/pprof
	"runtime/pprof"
	"sync"
)

// serveProfiles at an address until stop is called.
func serveProfiles(addr string) (stop func(), err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	p := new(profile)
	http.HandleFunc("/profile/start", p.start)
	http.HandleFunc("/profile/stop", p.stop)
	server := new(http.Server)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	return func() { _ = server.Close(); <-served }, nil
}

// profile is that of a stretch.
type profile struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (p *profile) start(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.data.Reset()
	if err := pprof.StartCPUProfile(&p.data); err != nil {
		http.Error(w, fmt.Sprint(err), http.StatusConflict)
	}
}

func (p *profile) stop(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pprof.StopCPUProfile()
	_, _ = w.Write(p.data.Bytes())
}
