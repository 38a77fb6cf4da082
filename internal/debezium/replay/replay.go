// Package replay sends a fixed list of requests to a REST API of Kafka Connect and
// records the answers, so that those of the real one and of ours can be compared. What
// the real one answers is kept in connect/rest/testdata/kafka-connect.txt, for tests
// that have no Java.
//
// A worker needs the connectors of files (org.apache.kafka.connect.file), no connector
// when the list begins, and a Kafka without the topics replay-lines and replay-words. It
// has no connector when the list has ended.
package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Answer is what a request was answered with. What differs from run to run is replaced
// by words in angle brackets.
type Answer struct {
	// About says why the request is in the list.
	About string
	// Request is the method, the path and the body.
	Request string
	Status  int
	// Location is that header, without the worker's address.
	Location string
	// Body is JSON with its keys in order, in lines; or "" where there was none.
	Body string
}

// step is a request of the list.
type step struct {
	about, method, path, body string
	// until repeats the request until it returns true for the answer.
	until func(status int, body any) bool
	// contentType is application/json where it is empty.
	contentType string
	// keep, where it is there, takes what is to be compared out of the answer.
	keep func(any) any
}

const (
	patience = 30 * time.Second
	pause    = 100 * time.Millisecond
)

// Replay sends the list to the API at baseURL and returns an answer each.
func Replay(t testing.TB, baseURL string) []Answer {
	t.Helper()
	folder, err := os.MkdirTemp("", "pabal-replay-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.WriteFile(filepath.Join(folder, "lines.txt"), []byte("one\ntwo\nthree\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &replayer{base: strings.TrimSuffix(baseURL, "/"), folder: folder}
	var answers []Answer
	for _, s := range steps() {
		answer, err := r.send(t.Context(), s)
		if err != nil {
			t.Fatalf("%s %s: %v", s.method, s.path, err)
		}
		answers = append(answers, answer)
	}
	return answers
}

// replayer holds what is blanked beside the things of blanks. version is the worker's,
// which the first answer tells.
type replayer struct{ base, folder, version string }

// send repeats a request as long as the worker says that it is busy, or the step asks for it.
func (r *replayer) send(ctx context.Context, s step) (Answer, error) {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		answer, body, err := r.once(ctx, s)
		if err != nil {
			return Answer{}, err
		}
		settled := s.until == nil || s.until(answer.Status, body)
		if settled && !busy(answer) || time.Now().After(deadline) {
			return answer, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return Answer{}, ctx.Err()
		}
	}
}

// busy: a worker refuses changes while its group is being rebalanced.
func busy(a Answer) bool {
	return a.Status == http.StatusConflict && (strings.Contains(a.Body, "rebalance") || strings.Contains(a.Body, "momentarily"))
}

func (r *replayer) once(ctx context.Context, s step) (Answer, any, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	sent := strings.ReplaceAll(s.body, folderWord, r.folder)
	request, err := http.NewRequestWithContext(ctx, s.method, r.base+s.path, strings.NewReader(sent))
	if err != nil {
		return Answer{}, nil, err
	}
	if s.body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if s.contentType != "" {
		request.Header.Set("Content-Type", s.contentType)
	}
	got, err := http.DefaultClient.Do(request)
	if err != nil {
		return Answer{}, nil, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		return Answer{}, nil, err
	}
	answer := Answer{About: s.about, Request: strings.TrimSpace(s.method + " " + s.path + "\n" + s.body), Status: got.StatusCode,
		Location: strings.TrimPrefix(got.Header.Get("Location"), r.base)}
	var body any
	answer.Body, body = r.normalise(text, s.keep)
	return answer, body, nil
}

// normalise returns the text of an answer in the form that is compared, and its value.
func (r *replayer) normalise(text []byte, keep func(any) any) (string, any) {
	if len(bytes.TrimSpace(text)) == 0 {
		return "", nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var body any
	if err := decoder.Decode(&body); err != nil {
		return "<not JSON>", nil
	}
	if fields, ok := body.(map[string]any); ok && fmt.Sprint(fields["error_code"]) == "500" {
		fields["message"] = "<text>" // it tells of classes and lines of Java
	}
	if fields, ok := body.(map[string]any); ok && fields["kafka_cluster_id"] != nil {
		r.version, _ = fields["version"].(string)
	}
	if keep != nil {
		body = keep(body)
	}
	return indented(r.blank(body), ""), body
}
