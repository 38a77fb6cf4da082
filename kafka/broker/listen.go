package broker

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"
)

func (c Config) withDefaults() Config {
	c.Addr = cmp.Or(c.Addr, DefaultAddr)
	c.Partitions = cmp.Or(c.Partitions, 4)
	if c.Durability == "" {
		c.Durability = Fsync
		if c.DataDir == "" {
			c.Durability = Memory
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Faults != nil {
		c.Now = c.Faults.clock(c.Now)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = c.Logger.With("component", "broker")
	return c
}

// check reports the first setting that cannot work.
func (c Config) check() error {
	switch {
	case c.Durability != Fsync && c.Durability != OS && c.Durability != Memory:
		return fmt.Errorf("%w: durability %q is not known: use %s, %s or %s", ErrConfig, c.Durability, Fsync, OS, Memory)
	case c.Durability != Memory && c.DataDir == "":
		return fmt.Errorf("%w: durability %s needs a data folder", ErrConfig, c.Durability)
	case c.Durability == Memory && c.DataDir != "":
		return fmt.Errorf("%w: durability %s keeps nothing in %s; leave the folder out, or use %s or %s", ErrConfig, Memory, c.DataDir, Fsync, OS)
	case c.Partitions < 1:
		return fmt.Errorf("%w: a topic has at least 1 partition, not %d", ErrConfig, c.Partitions)
	case c.ACLs && len(c.Users) == 0 && c.TLS == nil && len(c.SuperUsers) == 0:
		return fmt.Errorf("%w: access rules that nobody may set: set users, or certificates of clients, and who is a super user", ErrConfig)
	}
	return nil
}

// listen takes the port.
func listen(ctx context.Context, c Config) (net.Listener, error) {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return nil, fmt.Errorf("%w on %q: not host:port", ErrAddr, c.Addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return nil, fmt.Errorf("%w on %q: %q is not a port", ErrAddr, c.Addr, port)
	}
	if !loopback(host) && c.TLS == nil && !c.InsecureListen {
		return nil, fmt.Errorf("%w on %s: others than this machine could connect, and nothing is encrypted; set a certificate, or allow it (InsecureListen)", ErrAddr, c.Addr)
	}
	if host == "localhost" {
		host = "127.0.0.1" // what clients are told must be what is listened on
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("%w on %s: %w", ErrAddr, c.Addr, err)
	}
	return l, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// advertised is where clients are told to connect to.
func advertised(c Config, at net.Addr) (host string, port int32, err error) {
	address := cmp.Or(c.Advertised, at.String())
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%w: advertised address %q is not host:port", ErrConfig, address)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%w: advertised address %q: %q is not a port", ErrConfig, address, text)
	}
	if n == 0 {
		n = uint64(at.(*net.TCPAddr).Port)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		if host, err = os.Hostname(); err != nil {
			return "", 0, fmt.Errorf("%w: it listens on all addresses, and this machine has no name; set the advertised address: %w", ErrConfig, err)
		}
	}
	return host, int32(n), nil
}
