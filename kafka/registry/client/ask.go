package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Error is an answer of a registry that refuses.
type Error struct {
	// Status is HTTP's; Code has more digits, see Confluent's documentation.
	Status, Code int
	Message      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("the schema registry refuses (%d): %s", e.Code, e.Message)
}

// Kinds of errors, for errors.Is.
var (
	// ErrNotFound: there is no such id, subject, version or schema.
	ErrNotFound = errors.New("not found")
	// ErrIncompatible: the schema would break those who read or write with others.
	ErrIncompatible = errors.New("incompatible schema")
	// ErrInvalid: what was sent is no schema, or is not allowed.
	ErrInvalid = errors.New("invalid schema or request")
	// ErrUnavailable: no instance of the registry answers, or it cannot.
	ErrUnavailable = errors.New("the schema registry does not answer")
	// ErrUnauthorized: the credentials are missing or not enough.
	ErrUnauthorized = errors.New("the schema registry does not accept the credentials")
)

// Is tells the kind.
func (e *Error) Is(kind error) bool {
	switch kind {
	case ErrNotFound:
		return e.Status == http.StatusNotFound
	case ErrIncompatible:
		return e.Status == http.StatusConflict
	case ErrInvalid:
		return e.Status == http.StatusUnprocessableEntity || e.Status == http.StatusBadRequest
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
	case ErrUnavailable:
		return e.Status >= http.StatusInternalServerError || e.Status == http.StatusTooManyRequests
	}
	return false
}

const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
	// maxAnswer bounds what a registry, or what is not one, answers.
	maxAnswer = 64 << 20
)

// retry asks until a registry answers.
func (c *Client) retry(ctx context.Context, method, path string, body, into any) error {
	began := time.Now()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := c.ask(ctx, method, path, body, into)
		if !errors.Is(err, ErrUnavailable) || ctx.Err() != nil || time.Since(began)+pause > c.cfg.RetryFor {
			return err
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
			return err
		}
	}
}

// ask asks every instance once, beginning with the one that answered last.
func (c *Client) ask(ctx context.Context, method, path string, body, into any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	c.mu.Lock()
	first := c.first
	c.mu.Unlock()
	var failed error
	for i := range c.cfg.URLs {
		at := (first + i) % len(c.cfg.URLs)
		err := c.one(ctx, method, c.cfg.URLs[at], path, data, into)
		if !errors.Is(err, ErrUnavailable) {
			c.mu.Lock()
			c.first = at
			c.mu.Unlock()
			return err
		}
		failed = err
	}
	return failed
}

func (c *Client) one(ctx context.Context, method, base, path string, body []byte, into any) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(base, "/")+c.prefix()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/vnd.schemaregistry.v1+json, application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	}
	if c.cfg.User != "" {
		r.SetBasicAuth(c.cfg.User, c.cfg.Password)
	}
	if c.cfg.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.cfg.Token)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return read(resp.StatusCode, data, into)
}

func (c *Client) prefix() string {
	if c.cfg.Context == "" {
		return ""
	}
	return "/contexts/" + url.PathEscape(c.cfg.Context)
}

// read an answer. What no registry says, such as a proxy's page, is ErrUnavailable.
func read(status int, data []byte, into any) error {
	if status == http.StatusOK {
		if err := json.Unmarshal(data, into); err != nil {
			return fmt.Errorf("%w: what answers is not a schema registry: %w", ErrUnavailable, err)
		}
		return nil
	}
	var refused struct {
		Code    int    `json:"error_code"`
		Message string `json:"message"`
	}
	bad := json.Unmarshal(data, &refused) != nil
	if status == http.StatusNotFound && (bad || refused.Code == 0) {
		// A proxy's, or of a wrong path: it says nothing about the id, whose events are not to be given up.
		return fmt.Errorf("%w: what answers 404 is not a schema registry; is the address right?", ErrUnavailable)
	}
	if bad || refused.Message == "" {
		refused.Code, refused.Message = status, http.StatusText(status)
	}
	return &Error{Status: status, Code: refused.Code, Message: refused.Message}
}
