package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// guard lets those requests through that HandlerConfig allows.
type guard struct {
	token [sha256.Size]byte
	open  bool // loopback needs no token
	hosts []string
}

func newGuard(c HandlerConfig) guard {
	g := guard{token: sha256.Sum256([]byte(c.Token)), open: c.Token == ""}
	for _, host := range c.Hosts {
		g.hosts = append(g.hosts, strings.ToLower(host))
	}
	return g
}

func (g guard) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := g.check(r); err != nil {
			refuse(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// errForeign: the request was made by a page of another site.
var errForeign = errors.New("foreign request")

func (g guard) check(r *http.Request) error {
	if !g.ours(r.Host) {
		return fmt.Errorf("%w: %w: host %q is none of this service's names", ErrDenied, errForeign, r.Host)
	}
	if err := sameSite(r); err != nil {
		return fmt.Errorf("%w: %w: %w", ErrDenied, errForeign, err)
	}
	if g.open {
		if !direct(r) {
			return fmt.Errorf("%w: this service has no admin token, so it answers over loopback only", ErrDenied)
		}
		return nil
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given := sha256.Sum256([]byte(token))
	if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(given[:], g.token[:]) != 1 {
		return fmt.Errorf("%w: the bearer token is missing or wrong", ErrDenied)
	}
	return nil
}

// ours says whether a page cannot have made its own name point here.
func (g guard) ours(host string) bool {
	name := strings.ToLower(host)
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = strings.ToLower(h)
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	return name == "localhost" || slices.Contains(g.hosts, name)
}

// sameSite refuses what a browser says another site's page sent.
func sameSite(r *http.Request) error {
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "same-origin", "none":
	default:
		return fmt.Errorf("it comes from another site (%s)", site)
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return fmt.Errorf("origin %q is another site", origin)
		}
	}
	return nil
}

// direct says whether the request comes over loopback, and not through a proxy
// for somebody else.
func direct(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && from.Addr().Unmap().IsLoopback()
}
