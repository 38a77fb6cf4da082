package cloudconfig

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxBody bounds the server's answer, in bytes.
const maxBody = 4 << 20

// Fetch asks the server once, and once more where the answer names other active
// profiles (spring.profiles.active). Where the source is optional, a server that is
// away is an error that wraps ErrAway, for the caller to report and go on.
func (s Source) Fetch(ctx context.Context) (*Properties, error) {
	if s.Application == "" {
		return nil, fmt.Errorf("%w: no application is named", ErrSource)
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.Timeout, 10*time.Second))
	defer cancel()
	p, err := s.fetch(ctx)
	if err != nil || len(s.Profiles) > 0 {
		return p, err
	}
	active, err := p.List("spring.profiles.active")
	if err != nil || len(active) == 0 || slices.Equal(active, []string{"default"}) {
		return p, err
	}
	s.Profiles = active
	return s.fetch(ctx)
}

func (s Source) fetch(ctx context.Context) (*Properties, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.endpoint(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrSource, s)
	}
	r.Header.Set("Accept", "application/json")
	if s.User != "" {
		r.SetBasicAuth(s.User, s.Password)
	}
	body, err := get(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrAway, s.URL, err)
	}
	p, err := parse(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFormat, s.endpoint(), err)
	}
	p.server, p.environ = s.URL, s.Environ
	return p, nil
}

// endpoint: a slash in a label is written "(_)".
func (s Source) endpoint() string {
	profiles := "default"
	if len(s.Profiles) > 0 {
		profiles = strings.Join(s.Profiles, ",")
	}
	at := s.URL + "/" + url.PathEscape(s.Application) + "/" + url.PathEscape(profiles)
	if s.Label != "" {
		at += "/" + url.PathEscape(strings.ReplaceAll(s.Label, "/", "(_)"))
	}
	return at
}

// client is http.DefaultClient, but takes user and password to no address that is
// less protected than the one they were given for.
var client = &http.Client{CheckRedirect: func(next *http.Request, via []*http.Request) error {
	switch {
	case via[0].URL.Scheme == "https" && next.URL.Scheme != "https":
		return errors.New("it redirects to an address without https")
	case len(via) >= 10:
		return errors.New("it redirects again and again")
	}
	return nil
}}

func get(r *http.Request) ([]byte, error) {
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %s%s", answer.Status, hint(answer.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = fmt.Errorf("its answer has more than %d bytes", maxBody)
	}
	return body, err
}

func hint(status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return ": check user and password"
	case http.StatusNotFound:
		return ": check the address, the application's name and the label"
	}
	return ""
}

// document is the server's answer; sources that come first count more.
type document struct {
	Name            string            `json:"name"`
	Profiles        []string          `json:"profiles"`
	PropertySources []documentSources `json:"propertySources"`
}

type documentSources struct {
	Name   string                     `json:"name"`
	Source map[string]json.RawMessage `json:"source"`
}

func parse(body []byte) (*Properties, error) {
	var d document
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, err
	}
	if d.PropertySources == nil {
		return nil, fmt.Errorf("it has no propertySources")
	}
	p := &Properties{values: map[string]Value{}}
	owners := map[string]int{} // by canonical key without index: names of sources may repeat
	for place, source := range d.PropertySources {
		for _, key := range slices.Sorted(maps.Keys(source.Source)) {
			list, _, _ := strings.Cut(canonical(key), "[")
			if owner, owned := owners[list]; owned && owner != place {
				continue // lists of two sources are not mixed either
			}
			owners[list] = place
			p.values[canonical(key)] = Value{Key: key, raw: text(source.Source[key]), Source: source.Name}
		}
	}
	return p, nil
}

// text of a JSON value; strings lose their quotes, null is empty.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}
