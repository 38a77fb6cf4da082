package console

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/pages"
)

// guard keeps foreign sites out: names that lead here by DNS rebinding, and requests
// that another site's page makes with the user's rights.
type guard struct {
	open    bool     // nobody logs in
	hosts   []string // allowed beside loopback, lower case
	origins *http.CrossOriginProtection
}

func newGuard(open bool, listen string, allowed []string) (*guard, error) {
	g := &guard{open: open, origins: http.NewCrossOriginProtection()}
	if host := listenHost(listen); host != "" {
		g.hosts = append(g.hosts, host)
	}
	for _, h := range allowed {
		name := hostName(h)
		if u, err := url.Parse("//" + h); err != nil || name == "" || u.Host != h || strings.ContainsAny(h, "*/ ") {
			return nil, fmt.Errorf("%w: allowed host %q is not a name such as console.example.org", ErrConfig, h)
		}
		g.hosts = append(g.hosts, name)
		// A proxy that ends TLS may speak to us under another name.
		if err := g.origins.AddTrustedOrigin("https://" + h); err != nil {
			return nil, fmt.Errorf("%w: allowed host %q: %w", ErrConfig, h, err)
		}
	}
	return g, nil
}

// listenHost is the host of an address to listen on, "" where it is every address.
func listenHost(listen string) string {
	host := hostName(listen)
	if a, err := netip.ParseAddr(host); err == nil && a.IsUnspecified() {
		return ""
	}
	return host
}

// hostName is a Host header or address without port, in lower case.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// check is an error that wraps api.ErrForbidden where the request is foreign.
func (g *guard) check(r *http.Request, isAPI bool) error {
	if err := g.checkHost(r.Host); err != nil {
		return err
	}
	if g.open && (!loopbackAddress(r.RemoteAddr) || forwarded(r)) {
		return fmt.Errorf("%w: without users this console answers its own machine only", api.ErrForbidden)
	}
	if err := g.origins.Check(r); err != nil {
		return fmt.Errorf("%w: another site's page may not act here: %w", api.ErrForbidden, err)
	}
	return checkFetch(r, isAPI)
}

// checkHost takes loopback, the address listened on, allowed names and, where users
// log in, any numeric address: DNS cannot lead a foreign name to that.
func (g *guard) checkHost(host string) error {
	name := hostName(host)
	_, numeric := netip.ParseAddr(name)
	switch {
	case api.Loopback(name), slices.Contains(g.hosts, name), !g.open && numeric == nil:
		return nil
	}
	return fmt.Errorf("%w: this console does not answer under the name %.80q; add it to the allowed hosts", api.ErrForbidden, name)
}

// checkFetch refuses what a browser says that another site asks for, but for links to
// pages.
func checkFetch(r *http.Request, isAPI bool) error {
	site := r.Header.Get("Sec-Fetch-Site")
	if site == "" || site == "same-origin" || site == "none" {
		return nil
	}
	link := r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	if link && !isAPI {
		return nil
	}
	return fmt.Errorf("%w: another site's page may not read this", api.ErrForbidden)
}

// forwarded says whether a proxy on this machine speaks for somebody else.
func forwarded(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

func loopbackAddress(remote string) bool { return api.Loopback(hostName(remote)) }

// clientAddress is the other end's, without port.
func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// checkPath refuses paths that others could read in another way, such as one with
// "..".
func checkPath(u *url.URL) error {
	p := u.EscapedPath()
	clean := path.Clean(p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	if p != clean || strings.ContainsRune(u.Path, 0) {
		return fmt.Errorf("%w: the path %.80q is not well written", api.ErrInvalid, p)
	}
	return nil
}

// secure sets the headers that every answer has.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", pages.ContentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store") // static files say otherwise
}
