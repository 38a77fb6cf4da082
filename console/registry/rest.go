package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// rest asks the registry's REST API.
type rest struct {
	root string // without a slash at its end
	http *http.Client
	wait time.Duration // for one answer
}

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 32 << 20

func newRest(c Config) rest { return rest{strings.TrimRight(c.URL, "/"), c.HTTP, c.limits.ask} }

func (c rest) get(ctx context.Context, at string, into any) error {
	return c.do(ctx, http.MethodGet, at, nil, into)
}

// do sends body, nil for none, and reads the answer into into, nil for none.
func (c rest) do(ctx context.Context, method, at string, body, into any) error {
	var content io.Reader = http.NoBody
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%w: %w", api.ErrInvalid, err)
		}
		content = bytes.NewReader(data)
	}
	ctx, cancel := context.WithTimeout(ctx, c.wait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.root+at, content)
	if err != nil {
		return fmt.Errorf("%w: %w", api.ErrInvalid, err)
	}
	req.Header.Set("Accept", "application/vnd.schemaregistry.v1+json, application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return c.gone(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return c.gone(err)
	case len(data) > maxAnswer:
		return fmt.Errorf("%w: the schema registry's answer has more than %d bytes", api.ErrTooLarge, maxAnswer)
	case res.StatusCode/100 != 2:
		return c.refused(res, data)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %s answers what is not a schema registry's: %w", api.ErrUnavailable, c.root, err)
	}
	return nil
}

func (c rest) gone(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without method and address, which the text has
	}
	return fmt.Errorf("%w: the schema registry at %s does not answer: %w", api.ErrUnavailable, c.root, err)
}

// refusal is an answer of the registry that is an error.
type refusal struct {
	code int
	text string
	kind error
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.kind }

// refused is an answer that is an error, in the API's words.
func (c rest) refused(res *http.Response, data []byte) error {
	var e struct {
		Code    int    `json:"error_code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(data, &e) != nil || e.Message == "" {
		return fmt.Errorf("%w: %s answers %s, not as a schema registry does; is the address right?", api.ErrUnavailable, c.root, res.Status)
	}
	kind := api.ErrUnavailable
	switch res.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusUnsupportedMediaType:
		kind = api.ErrInvalid
	case http.StatusNotFound:
		kind = api.ErrNotFound
	case http.StatusConflict:
		kind = api.ErrConflict
	case http.StatusRequestEntityTooLarge:
		kind = api.ErrTooLarge
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %s does not let the console in: %s", api.ErrUnavailable, c.root, e.Message)
	}
	return &refusal{e.Code, fmt.Sprintf("%v: %s", kind, strings.TrimSpace(e.Message)), kind}
}
