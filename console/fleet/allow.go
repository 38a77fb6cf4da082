package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

// allowList is what may be called beside loopback.
type allowList struct {
	hosts    []string
	networks []netip.Prefix
}

func parseAllow(entries []string) (allowList, error) {
	var a allowList
	for _, entry := range entries {
		if network, err := netip.ParsePrefix(entry); err == nil {
			a.networks = append(a.networks, network.Masked())
			continue
		}
		if addr, err := netip.ParseAddr(entry); err == nil {
			addr = addr.Unmap()
			a.networks = append(a.networks, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		if !isHostName(entry) {
			return a, fmt.Errorf("%w: %q of the allow list is no host name, IP address or network like 10.0.0.0/8", api.ErrInvalid, entry)
		}
		a.hosts = append(a.hosts, strings.ToLower(entry))
	}
	return a, nil
}

func isHostName(s string) bool {
	return s != "" && len(s) <= 253 && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_')
	})
}

// permits says whether a host may be called at that address of it.
func (a allowList) permits(host string, at netip.Addr) bool {
	at = at.Unmap().WithZone("")
	switch {
	case slices.ContainsFunc(a.networks, func(n netip.Prefix) bool { return n.Contains(at) }):
		return true
	case api.Loopback(host):
		return at.IsLoopback()
	}
	return slices.Contains(a.hosts, strings.ToLower(host)) && at.IsValid() &&
		!at.IsUnspecified() && !at.IsMulticast() && !at.IsLinkLocalUnicast()
}

// check says of an announced URL why it is not called, as far as that can be
// known without asking the DNS.
func (a allowList) check(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return errors.New("the announced address is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("the announced address is no http or https URL, but %.20q", u.Scheme)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the announced address has more than a scheme, a host and a path")
	}
	host := u.Hostname()
	if at, err := netip.ParseAddr(host); err == nil {
		if !a.permits(host, at) {
			return notAllowed(host)
		}
		return nil
	}
	if api.Loopback(host) || slices.Contains(a.hosts, strings.ToLower(host)) || len(a.networks) > 0 {
		return nil
	}
	return notAllowed(host)
}

func notAllowed(host string) error {
	return fmt.Errorf("%s is not called: it is neither loopback nor in the allow list", host)
}

// dial resolves the name once, and calls the very address that was checked.
func (f *Fleet) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	all, err := f.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	err = notAllowed(host)
	for _, at := range all[:min(len(all), maxAddresses)] {
		if !f.allow.permits(host, at) {
			continue
		}
		var conn net.Conn
		if conn, err = new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(at.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// maxAddresses of a name are tried.
const maxAddresses = 8

func (f *Fleet) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if at, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{at}, nil
	}
	return f.cfg.Resolve(ctx, host)
}
