// Package testservers starts real servers for tests: PostgreSQL from the
// machine's own binaries and Apache Kafka from a cache of jars, each private to
// the caller, on 127.0.0.1 and a free port, in a temporary folder.
//
// StartPostgres and StartKafka give a test a server of its own, to kill and to
// restart. Most tests share the servers that ./cmd starts around a whole run and
// find them with package testenv. The package is for tests only: the servers
// trade safety against a power cut for speed (they do survive SIGKILL).
package testservers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// ErrMissing is wrapped by the errors that say a server or tool is not
// installed. They name what was looked for and how to get it.
var ErrMissing = errors.New("not installed")

// Server is one server process and its folder. Its methods may be called from
// any goroutine; they take turns.
type Server struct {
	// Name is the product and its version, such as "PostgreSQL 15.18".
	Name string
	// Addr is host:port; it stays the same over Kill, Stop and Restart.
	Addr string
	// URL is what a client connects to: a postgres:// URL of a superuser with
	// its password, or for Kafka the same as Addr.
	URL string
	// LogFile holds what the server printed since it was first started.
	LogFile string

	program program
	folder  folder

	mu sync.Mutex
	p  *process
}

// program is what the kinds of server differ in.
type program struct {
	start func() (*process, error)
	// ready tells whether p answers clients; logOffset is where p's part of the
	// log begins.
	ready func(p *process, logOffset int64) bool
	// orderly is the signal for a stop that closes files, quick the one for a
	// stop of a server whose data nobody needs any more.
	orderly, quick syscall.Signal
}

const stopTimeout = 30 * time.Second

// Kill ends the server and all of its child processes with SIGKILL, as a crash
// would, and returns when they are gone. Killing a stopped server does nothing.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.p == nil {
		return nil
	}
	err := s.p.killTree()
	s.p = nil
	return s.wrap("kill", err)
}

// Stop shuts the server down in its own orderly way and keeps its data.
// Stopping a stopped server does nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop(s.program.orderly)
}

// Restart starts the server again on the same address and data, and returns
// when it answers. A server that still runs is stopped first. ctx bounds the
// start only.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.stop(s.program.orderly); err != nil {
		return err
	}
	return s.launch(ctx)
}

// Close stops the server quickly and removes the folder that Start made; a
// folder that the caller named stays.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.stop(s.program.quick), s.folder.remove())
}

// Done is closed when the present process has ended, for whatever reason. It
// is nil, and so blocks for ever, while the server is stopped or killed.
func (s *Server) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.p == nil {
		return nil
	}
	return s.p.done
}

// PID is the present process's number; 0 while the server is stopped or killed.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.p == nil {
		return 0
	}
	return s.p.pid()
}

func (s *Server) stop(signal syscall.Signal) error {
	if s.p == nil {
		return nil
	}
	err := s.p.stop(signal, stopTimeout)
	s.p = nil
	return s.wrap("stop", err)
}

// launch starts the process and waits until it is ready.
func (s *Server) launch(ctx context.Context) error {
	logOffset := fileSize(s.LogFile)
	p, err := s.program.start()
	if err != nil {
		return s.wrap("start", err)
	}
	if err := s.awaitReady(ctx, p, logOffset); err != nil {
		return s.wrap("start", errors.Join(err, p.killTree()))
	}
	s.p = p
	return nil
}

func (s *Server) awaitReady(ctx context.Context, p *process, logOffset int64) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return fmt.Errorf("it ended at once (%v); its last words:\n%s", p.err, tail(s.LogFile, logOffset))
		case <-ctx.Done():
			return fmt.Errorf("it was not ready in time (%w); its last words:\n%s", context.Cause(ctx), tail(s.LogFile, logOffset))
		case <-tick.C:
			if s.program.ready(p, logOffset) {
				return nil
			}
		}
	}
}

func (s *Server) wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s at %s: %w", what, s.Name, s.Addr, err)
}

// startFirst starts a new server; another process may take a port between its
// choice and its use, so it tries a few.
func startFirst(ctx context.Context, makeServer func() (*Server, error)) (*Server, error) {
	var last error
	for range 3 {
		s, err := makeServer()
		if err != nil {
			return nil, err
		}
		if last = s.launch(ctx); last == nil {
			return s, nil
		}
		if err := errors.Join(ctx.Err(), s.folder.discard()); err != nil {
			return nil, errors.Join(last, err)
		}
	}
	return nil, last
}

// tail returns the end of what a log gained since offset.
func tail(file string, offset int64) string {
	const most = 3000
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	data = data[min(int(offset), len(data)):]
	return string(data[max(0, len(data)-most):])
}

func fileSize(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return info.Size()
}
