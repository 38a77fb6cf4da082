package testservers

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreeAddr is an address of 127.0.0.1 for a program that is killed and started
// again on it.
func FreeAddr() (string, error) {
	port, err := freePort()
	return localAddr(port), err
}

// freePort picks a port below the range from which systems number outgoing
// connections: a server that is down for a moment finds it free again, and
// nobody who dials it meanwhile is connected to himself.
func freePort() (int, error) {
	const low, high, tries = 20000, 32000, 100
	var last error
	for range tries {
		port := low + rand.IntN(high-low)
		l, err := net.Listen("tcp", localAddr(port))
		if err != nil {
			last = err
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("no free port found between %d and %d: %w", low, high, last)
}

func localAddr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
