// Package pekko talks to an application on Apache Pekko (folder app) that shares a
// database with ours, for the tests of compatibility.
package pekko

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
)

// Peer is the running application. It answers one request after the other.
type Peer struct{ java *testenv.JavaPeer }

// Start starts the application on the database of that URL, which has the tables
// already, and ends it with the test.
func Start(t testing.TB, databaseURL string) *Peer {
	t.Helper()
	folder := testenv.Pekko(t)
	where, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := where.User.Password()
	java := testenv.StartJava(t, folder, "peer.Peer", "PEER_HOST="+where.Hostname(), "PEER_PORT="+where.Port(),
		"PEER_DATABASE="+strings.TrimPrefix(where.Path, "/"), "PEER_USER="+where.User.Username(), "PEER_PASSWORD="+password)
	t.Log("Pekko's side is", testservers.PekkoName(folder))
	return &Peer{java}
}

// ErrRefused is wrapped by what the application answers instead of a result.
var ErrRefused = errors.New("the Pekko application answered")

// Ask sends a request and decodes the answer into result, which may be nil.
func (p *Peer) Ask(request map[string]any, result any) error {
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	got, err := p.java.Ask(line)
	if err != nil {
		return err
	}
	var answer struct {
		OK    json.RawMessage `json:"ok"`
		Error string          `json:"error"`
	}
	if err := json.Unmarshal(got, &answer); err != nil {
		return fmt.Errorf("the answer %q to %s: %w", got, line, err)
	}
	if answer.Error != "" {
		return fmt.Errorf("%w: %s", ErrRefused, answer.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.OK, result)
}
