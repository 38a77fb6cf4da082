package connectors

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

	"github.com/pabal-dev/pabal/console/api"
)

// client asks the REST API.
type client struct {
	root string // without a slash at its end
	http *http.Client
}

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 32 << 20

func (c client) get(ctx context.Context, at string, into any) error {
	return c.do(ctx, http.MethodGet, at, nil, into)
}

// do sends body, nil for none, and reads the answer into into, nil for none.
func (c client) do(ctx context.Context, method, at string, body, into any) error {
	var content io.Reader = http.NoBody
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%w: %w", api.ErrInvalid, err)
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.root+at, content)
	if err != nil {
		return fmt.Errorf("%w: %w", api.ErrInvalid, err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return c.away(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return c.away(err)
	case len(data) > maxAnswer:
		return fmt.Errorf("%w: Kafka Connect's answer has more than %d bytes", api.ErrTooLarge, maxAnswer)
	case res.StatusCode/100 != 2:
		return c.refused(res, data)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %s answers what is not Kafka Connect's: %w", api.ErrUnavailable, c.root, err)
	}
	return nil
}

func (c client) away(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without method and address, which the text has
	}
	return fmt.Errorf("%w: the connectors' REST API at %s does not answer: %w", api.ErrUnavailable, c.root, err)
}

// errForeign is a page that is not there, in words that are not Kafka Connect's.
var errForeign = fmt.Errorf("%w: there is no such thing; is this the address of Kafka Connect's REST API?", api.ErrUnavailable)

// refused is an answer that is an error, in the API's words.
func (c client) refused(res *http.Response, data []byte) error {
	var e struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(data, &e) != nil || e.Message == "" {
		if res.StatusCode == http.StatusNotFound {
			return errForeign
		}
		return fmt.Errorf("%w: %s answers %s, not as Kafka Connect does; is the address right?", api.ErrUnavailable, c.root, res.Status)
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
	return fmt.Errorf("%w: %s", kind, strings.TrimSpace(e.Message))
}
