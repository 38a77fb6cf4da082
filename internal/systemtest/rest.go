package systemtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Obj is a JSON object.
type Obj = map[string]any

// Answer is a REST response.
type Answer struct {
	Status int
	Header http.Header
	Text   string
	Body   Obj // where it is a JSON object
}

func (a Answer) String() string { return fmt.Sprintf("%d %s", a.Status, a.Text) }

// Fields are those a problem names, separated by commas.
func (a Answer) Fields() string {
	var names []string
	list, _ := a.Body["errors"].([]any)
	for _, e := range list {
		names = append(names, e.(Obj)["field"].(string))
	}
	return strings.Join(names, ",")
}

// Int is a number of the body.
func (a Answer) Int(name string) int64 {
	n, _ := a.Body[name].(float64)
	return int64(n)
}

// Call asks a running service; see the function Call.
func (s *System) Call(method, name, path string, body any, headers ...string) Answer {
	s.T.Helper()
	a, err := Call(method, "http://"+s.Running[name].Addr()+path, body, headers...)
	if err != nil {
		s.T.Fatal(err)
	}
	return a
}

// Must is a call that has to be answered with that status.
func (s *System) Must(status int, method, name, path string, body any, headers ...string) Answer {
	s.T.Helper()
	a := s.Call(method, name, path, body, headers...)
	if a.Status != status {
		s.T.Fatalf("%s %s: %s, want %d", method, path, a, status)
	}
	return a
}

// Call sends a body as it is where it is a string, as JSON otherwise; none where it is
// nil. headers are names and values.
func Call(method, url string, body any, headers ...string) (Answer, error) {
	var content io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(body)
	default:
		data, err := json.Marshal(body)
		if err != nil {
			return Answer{}, err
		}
		content = bytes.NewReader(data)
	}
	ctx, cancel := context.WithTimeout(context.Background(), StateTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return Answer{}, err
	}
	if content != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return Answer{}, err
	}
	return Read(response)
}

// Read reads a response and closes it.
func Read(response *http.Response) (Answer, error) {
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	a := Answer{Status: response.StatusCode, Header: response.Header, Text: strings.TrimSpace(string(text))}
	if err == nil && strings.Contains(response.Header.Get("Content-Type"), "json") {
		err = json.Unmarshal(text, &a.Body)
	}
	return a, err
}
