// Package ports finds out, before anything is started, whether everything will be
// able to listen.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
)

// Need is an address that something will listen on.
type Need struct {
	// Addr is host:port; port 0 is any free one.
	Addr string
	// What listens there, such as "the Kafka broker", and Flag that moves it.
	What, Flag string
	// Optional is one that can be done without: what is chosen is "" where it is taken.
	Optional bool
}

// Choose returns the addresses, in their order, with free ports filled in. All are
// held until all are checked, so that two do not get the same. The error names the
// first that is taken and its flag.
func Choose(needs ...Need) ([]string, error) {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	var chosen []string
	for _, n := range needs {
		l, err := n.listen()
		if err != nil && n.Optional {
			chosen = append(chosen, "")
			continue
		}
		if err != nil {
			return nil, n.explain(err)
		}
		held = append(held, l)
		chosen = append(chosen, n.choice(l))
	}
	return chosen, nil
}

// What is chosen for port 0 comes from below the ports that systems give to outgoing
// connections: one of those could take it before what needs it listens there, or while
// it is started again.
const (
	lowest  = 10_000
	highest = 20_000
	tries   = 100
)

func (n Need) listen() (net.Listener, error) {
	if host, port, err := net.SplitHostPort(n.Addr); err == nil && port == "0" {
		for range tries {
			l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(lowest+rand.IntN(highest-lowest))))
			if err == nil {
				return l, nil
			}
		}
	}
	return net.Listen("tcp", n.Addr)
}

// choice keeps the host as it was given.
func (n Need) choice(l net.Listener) string {
	host, _, _ := net.SplitHostPort(n.Addr)
	return net.JoinHostPort(host, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

func (n Need) explain(err error) error {
	_, port, _ := net.SplitHostPort(n.Addr)
	if errors.Is(err, syscall.EADDRINUSE) || isWindowsInUse(err) {
		return fmt.Errorf("port %s is in use, and %s needs it: choose another one with %s (0 takes any free one)", port, n.What, n.Flag)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return fmt.Errorf("cannot listen on %s for %s: %w; choose another address with %s", n.Addr, n.What, err, n.Flag)
}

// isWindowsInUse knows WSAEADDRINUSE, which syscall.EADDRINUSE is not there.
func isWindowsInUse(err error) bool {
	var code syscall.Errno
	return errors.As(err, &code) && code == 10048
}
