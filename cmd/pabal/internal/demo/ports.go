package demo

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

const host = "127.0.0.1"

// addresses are where everything will listen.
type addresses struct {
	kafka    string // "" with a real cluster
	services [len(serviceNames)]string
}

// chooseAddresses checks every port before anything is started, and fills in
// free ones where any will do. All are held until all are checked, so that two
// do not get the same.
func chooseAddresses(o Options) (a addresses, err error) {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	take := func(port int, what, flag string) string {
		if err != nil {
			return ""
		}
		l, failed := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if failed != nil {
			err = portError(port, what, flag, failed)
			return ""
		}
		held = append(held, l)
		return l.Addr().String()
	}
	if o.embedded() {
		a.kafka = take(o.KafkaPort, "the Kafka broker", "--kafka-port")
	}
	for i, name := range serviceNames {
		port := 0
		if o.Port != 0 {
			port = o.Port + i
		}
		a.services[i] = take(port, "the service "+name, "--port")
	}
	return a, err
}

func portError(port int, what, flag string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) || isWindowsInUse(err) {
		return fmt.Errorf("port %d is in use, and %s needs it: choose another one with %s (0 takes any free one)", port, what, flag)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return fmt.Errorf("cannot listen on port %d for %s: %w; choose another one with %s", port, what, err, flag)
}

// isWindowsInUse knows WSAEADDRINUSE, which syscall.EADDRINUSE is not there.
func isWindowsInUse(err error) bool {
	var code syscall.Errno
	return errors.As(err, &code) && code == 10048
}
