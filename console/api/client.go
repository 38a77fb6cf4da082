package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// ClientConfig says where a console is.
type ClientConfig struct {
	// URL of the console, with the path it is mounted at, such as
	// http://127.0.0.1:8080.
	URL string
	// Token authenticates; "" for a console on loopback that asks for none. It is
	// sent over plain HTTP to loopback only, unless AllowPlainHTTP says otherwise.
	Token          string
	AllowPlainHTTP bool
	// CA verifies the console's certificate; the system's where nil.
	CA *x509.CertPool
	// Timeout of a request that is not a stream, 45 s where zero, which
	// is enough for a swap of a projection.
	Timeout time.Duration
}

// Client asks a console over its JSON API. It implements the engines' interfaces, so
// that what works with Engines works from afar. Errors wrap those of this package.
type Client struct {
	root   string // ends with /api/v1/
	token  string
	http   *http.Client
	limits limits
}

type limits struct {
	timeout time.Duration
	answer  int64 // bytes
}

const maxAnswer = 64 << 20

var (
	_ Topics      = (*Client)(nil)
	_ Groups      = (*Client)(nil)
	_ Services    = (*Client)(nil)
	_ Lens        = (*Client)(nil)
	_ DeadLetters = (*Client)(nil)
)

// NewClient returns a client; it does not connect yet. An error wraps ErrInvalid.
func NewClient(c ClientConfig) (*Client, error) {
	u, err := url.Parse(c.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("%w: %q is not the address of a console, such as http://127.0.0.1:8080", ErrInvalid, c.URL)
	}
	if c.Token != "" && u.Scheme == "http" && !c.AllowPlainHTTP && !Loopback(u.Hostname()) {
		return nil, fmt.Errorf("%w: a token is not sent to %s over plain HTTP, where others can read it; use https", ErrInvalid, u.Host)
	}
	if c.Timeout == 0 {
		c.Timeout = 45 * time.Second
	}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{RootCAs: c.CA, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: c.Timeout,
		IdleConnTimeout:       time.Minute,
		ForceAttemptHTTP2:     true,
	}
	return &Client{
		root: strings.TrimSuffix(u.String(), "/") + "/api/v1/", token: c.Token, limits: limits{c.Timeout, maxAnswer},
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// Loopback says whether a host is this machine by name or address, without asking
// the DNS.
func Loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap().IsLoopback()
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// path joins the segments, each escaped.
func path(segments ...string) string {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		escaped[i] = url.PathEscape(s)
		if s == "." || s == ".." { // which servers would resolve
			escaped[i] = strings.ReplaceAll(s, ".", "%2E")
		}
	}
	return strings.Join(escaped, "/")
}

// get asks for the path with the fields of q as parameters, but for those in the
// path already.
func get[A any](ctx context.Context, c *Client, at string, q any, inPath ...string) (A, error) {
	var answer A
	target := at
	if q != nil {
		values, err := EncodeQuery(q)
		if err != nil {
			return answer, err
		}
		for _, name := range inPath {
			values.Del(name)
		}
		if len(values) > 0 {
			target += "?" + values.Encode()
		}
	}
	return answer, c.call(ctx, http.MethodGet, target, nil, &answer)
}

// post sends body as JSON.
func post[A any](ctx context.Context, c *Client, at string, body any) (A, error) {
	var answer A
	data, err := json.Marshal(body)
	if err != nil {
		return answer, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return answer, c.call(ctx, http.MethodPost, at, data, &answer)
}

func (c *Client) call(ctx context.Context, method, target string, body []byte, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, c.limits.timeout)
	defer cancel()
	res, err := c.send(ctx, method, target, body, "application/json")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, c.limits.answer+1))
	if err != nil {
		return c.away(err)
	}
	if int64(len(data)) > c.limits.answer {
		return fmt.Errorf("%w: the answer has more than %d bytes", ErrTooLarge, c.limits.answer)
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return fmt.Errorf("%s answers what is not a console's: %w", c.root, err)
	}
	return nil
}

// send returns an answer that is no problem; the caller closes its body.
func (c *Client) send(ctx context.Context, method, target string, body []byte, accept string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.root+target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	req.Header.Set("Accept", accept)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.away(err)
	}
	if res.StatusCode/100 != 2 {
		defer res.Body.Close()
		return nil, problemIn(res, c.root)
	}
	if got, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); got != accept {
		res.Body.Close()
		return nil, fmt.Errorf("%w: %s answers %q, as no console does; is the address right?", ErrInvalid, c.root, got)
	}
	return res, nil
}

// away is an error of the network.
func (c *Client) away(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without method and address, which the text has
	}
	return fmt.Errorf("%w: the console at %s does not answer: %w", ErrUnavailable, strings.TrimSuffix(c.root, "/api/v1/"), err)
}

// problemIn reads an answer that is an error.
func problemIn(res *http.Response, root string) error {
	p := &Problem{}
	data, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if got, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); got != ProblemType || json.Unmarshal(data, p) != nil {
		return &Problem{Title: http.StatusText(res.StatusCode), Status: res.StatusCode,
			Detail: fmt.Sprintf("%s answers %s, not as a console does; is the address right?", root, res.Status)}
	}
	p.Status = res.StatusCode
	return p
}
