package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// ClientConfig says where a Handler is.
type ClientConfig struct {
	// URL where the Handler is mounted, for example http://127.0.0.1:8101/admin.
	URL string
	// Token is sent as bearer token, unless empty.
	Token string
	// Timeout of a call; 12 s where zero. A step of a rebuild gets 25 s more.
	Timeout time.Duration
	// MaxAnswer bounds an answer, in bytes; 16 MiB where zero.
	MaxAnswer int64
	// Transport is one without a proxy where nil. Redirects are never followed.
	Transport http.RoundTripper
}

// Client is the API of a service in another process. Its errors wrap those of
// API; a service that does not answer is ErrUnavailable. It is safe for
// concurrent use.
type Client struct {
	cfg  ClientConfig
	root string
	http *http.Client
}

var (
	_ API     = (*Client)(nil)
	_ Streams = (*Client)(nil)
)

// directly is shared by all clients without a Transport of their own.
var directly = &http.Transport{
	TLSHandshakeTimeout: 5 * time.Second, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
	MaxResponseHeaderBytes: 64 << 10,
}

// NewClient connects to nothing yet; its error wraps ErrInvalid.
func NewClient(c ClientConfig) (*Client, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%w: %.200q is no URL of a service, like http://127.0.0.1:8101/admin", ErrInvalid, c.URL)
	}
	if c.Timeout == 0 {
		c.Timeout = requestTimeout + 2*time.Second
	}
	if c.MaxAnswer == 0 {
		c.MaxAnswer = maxAnswer
	}
	if c.Transport == nil {
		c.Transport = directly
	}
	return &Client{cfg: c, root: strings.TrimRight(u.String(), "/"), http: &http.Client{
		Transport:     c.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Status implements API.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.get(ctx, "/status", nil, &s)
	return s, err
}

// Rows implements API.
func (c *Client) Rows(ctx context.Context, q outbox.RowQuery) (page RowPage, err error) {
	err = c.get(ctx, "/outbox/rows", writeRowQuery(q), &page)
	return page, err
}

// Replay implements API.
func (c *Client) Replay(ctx context.Context, ids ...int64) (int64, error) {
	var n count
	err := c.post(ctx, "/outbox/replay", replayBody{IDs: ids, All: len(ids) == 0}, &n)
	return n.Count, err
}

// PauseRelay implements API.
func (c *Client) PauseRelay(ctx context.Context, reason string) error {
	return c.post(ctx, "/outbox/relay", relayBody{Paused: true, Reason: reason}, &struct{}{})
}

// ResumeRelay implements API.
func (c *Client) ResumeRelay(ctx context.Context) error {
	return c.post(ctx, "/outbox/relay", relayBody{}, &struct{}{})
}

// Positions implements API.
func (c *Client) Positions(ctx context.Context, consumer string) (all []inbox.Position, err error) {
	err = c.get(ctx, consumerPath(consumer, "positions"), nil, &all)
	return all, err
}

// Marks implements API.
func (c *Client) Marks(ctx context.Context, consumer string, ids ...string) (all []inbox.StoredMark, err error) {
	err = c.get(ctx, consumerPath(consumer, "marks"), writeMarkQuery(ids), &all)
	return all, err
}

// Waiting implements API.
func (c *Client) Waiting(ctx context.Context, q inbox.WaitingQuery) (page WaitingPage, err error) {
	err = c.get(ctx, consumerPath(q.Consumer, "waiting"), writeWaitingQuery(q), &page)
	return page, err
}

// StartReplay implements API.
func (c *Client) StartReplay(ctx context.Context, r ReplayRequest) (replay inbox.Replay, err error) {
	err = c.post(ctx, consumerPath(r.Consumer, "replay"), r, &replay)
	return replay, err
}

// Release implements API.
func (c *Client) Release(ctx context.Context, consumer, topic, key string) (int64, error) {
	var n count
	err := c.post(ctx, consumerPath(consumer, "release"), releaseBody{topic, key}, &n)
	return n.Count, err
}

func consumerPath(consumer, what string) string {
	return "/consumers/" + url.PathEscape(consumer) + "/" + what
}

func (c *Client) get(ctx context.Context, path string, query url.Values, answer any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.call(ctx, c.cfg.Timeout, http.MethodGet, path, nil, answer)
}

func (c *Client) post(ctx context.Context, path string, body, answer any) error {
	return c.postWithin(ctx, c.cfg.Timeout, path, body, answer)
}

func (c *Client) postWithin(ctx context.Context, timeout time.Duration, path string, body, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return c.call(ctx, timeout, http.MethodPost, path, data, answer)
}

func (c *Client) call(ctx context.Context, timeout time.Duration, method, path string, body []byte, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.root+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.cfg.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.cfg.Token)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, withoutQuery(err))
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, c.cfg.MaxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("%w: the answer of %s broke off: %w", ErrUnavailable, c.root, err)
	case int64(len(data)) > c.cfg.MaxAnswer:
		return fmt.Errorf("%w: the answer of %s has more than %d bytes: ask with a smaller limit", ErrInvalid, c.root, c.cfg.MaxAnswer)
	case response.StatusCode != http.StatusOK:
		return refusal(c.root, response, data)
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return fmt.Errorf("%w: %s does not answer like a service: %w", ErrUnavailable, c.root, err)
	}
	return nil
}

// withoutQuery drops the URL from an error of net/http: it can be as long as what
// was asked for.
func withoutQuery(err error) error {
	var where *url.Error
	if errors.As(err, &where) {
		return where.Err
	}
	return err
}

// refusal is the error of an answer that is not OK.
func refusal(root string, response *http.Response, data []byte) error {
	var p problem
	detail := response.Status
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	isProblem := media == "application/problem+json" && json.Unmarshal(data, &p) == nil
	if isProblem && p.Detail != "" {
		detail = p.Detail[:min(len(p.Detail), maxProblem)]
	}
	for _, s := range statuses {
		if s.status == response.StatusCode && (isProblem || s.err != ErrNotFound) {
			return &remoteError{s.err, detail}
		}
	}
	switch {
	case response.StatusCode == http.StatusForbidden:
		return &remoteError{ErrDenied, detail}
	case response.StatusCode == http.StatusRequestHeaderFieldsTooLarge, response.StatusCode == http.StatusRequestURITooLong:
		return &remoteError{ErrInvalid, "too much was asked for at a time: " + detail}
	case isProblem && response.StatusCode >= 400 && response.StatusCode < 500:
		return &remoteError{ErrInvalid, detail}
	}
	return fmt.Errorf("%w: %s does not answer like a service: %s", ErrUnavailable, root, detail)
}

// remoteError is an error of the service's, in its words.
type remoteError struct {
	kind   error
	detail string
}

func (e *remoteError) Error() string {
	if strings.HasPrefix(e.detail, e.kind.Error()) {
		return e.detail
	}
	return e.kind.Error() + ": " + e.detail
}

func (e *remoteError) Unwrap() error { return e.kind }
