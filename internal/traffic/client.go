package traffic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// Client calls services as any HTTP client would, and repeats a call whose
// outcome it does not know.
type Client struct {
	http  *http.Client
	limit time.Duration // for one call with all of its repeats
	// repeated is told of every repeat of a request that failed or got lost.
	repeated func()
}

// NewClient has at most that many connections to each service, gives up a call with all
// of its repeats after the limit, and tells repeated of each repeat of one that failed
// or got lost.
func NewClient(connections int, limit time.Duration, repeated func()) *Client {
	return &Client{
		http: &http.Client{
			Timeout: 15 * time.Second,
			Transport: &http.Transport{
				MaxIdleConnsPerHost: connections,
				MaxConnsPerHost:     connections,
				IdleConnTimeout:     time.Minute,
				DisableCompression:  true,
			},
		},
		limit: limit, repeated: repeated,
	}
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// RefusedError is an answer that says the request was wrong.
type RefusedError struct {
	Request string
	Status  int
	Body    string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s was answered with %d: %s", e.Request, e.Status, e.Body)
}

// StatusOf is the status of a refusal, 0 for any other error.
func StatusOf(err error) int {
	var r *RefusedError
	if errors.As(err, &r) {
		return r.Status
	}
	return 0
}

// Call sends a request until it is answered with a status below 500 and
// decodes the answer. again names further statuses to repeat. It gives up
// after the limit.
func (c *Client) Call(ctx context.Context, method, where, key string, body, answer any, again ...int) error {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return err
		}
	}
	pause := 20 * time.Millisecond
	for {
		err := c.once(ctx, method, where, key, payload, answer)
		if err == nil || !repeatable(err, again) {
			return err
		}
		if Wait(ctx, pause/2+rand.N(pause)) != nil {
			return fmt.Errorf("gave up: %w", err)
		}
		pause = min(2*pause, time.Second)
		if status := StatusOf(err); status == 0 || status >= 500 {
			c.repeated()
		}
	}
}

func repeatable(err error, again []int) bool {
	status := StatusOf(err)
	for _, s := range again {
		if status == s {
			return true
		}
	}
	return status == 0 || status >= 500 || status == http.StatusTooManyRequests
}

func (c *Client) once(ctx context.Context, method, where, key string, payload []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, where, bytes.NewReader(payload))
	if err != nil {
		return err
	}
	if payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	const mostBody = 1 << 20
	data, err := io.ReadAll(io.LimitReader(resp.Body, mostBody))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, where, err)
	}
	if resp.StatusCode >= 300 {
		return &RefusedError{method + " " + where, resp.StatusCode, strings.TrimSpace(string(data))}
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return fmt.Errorf("%s %s: the answer is not the JSON expected: %w", method, where, err)
	}
	return nil
}

// Wait waits that long, or returns ctx's error.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
