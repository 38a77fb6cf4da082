package testservers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// FreeAddr is an address of 127.0.0.1 for a program that is killed and started
// again on it.
func FreeAddr() (string, error) {
	port, err := freePort()
	return localAddr(port), err
}

// freePort picks a port below the range from which systems number outgoing
// connections: a server that is down for a moment finds it free again, and
// nobody who dials it meanwhile is connected to himself. Nor is it given to anybody else while
// this process runs.
func freePort() (int, error) {
	const low, high, tries = 20000, 32000, 100
	var last error
	for range tries {
		port := low + rand.IntN(high-low)
		if last = reserve(port); last == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port found between %d and %d: %w", low, high, last)
}

// reserved are sockets of UDP on the ports that were given out, which keep them from being
// given out again, by another process too.
var (
	reservedMu sync.Mutex
	reserved   []net.PacketConn
)

// reserve takes a port that nobody has, or had from here.
func reserve(port int) error {
	guard, err := net.ListenPacket("udp", localAddr(port))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", localAddr(port))
	if err != nil {
		return errors.Join(err, guard.Close())
	}
	reservedMu.Lock()
	reserved = append(reserved, guard)
	reservedMu.Unlock()
	return l.Close()
}

func localAddr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
