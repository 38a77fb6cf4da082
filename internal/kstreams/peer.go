// Package kstreams runs Kafka Streams itself (folder app) beside ours: cases of topologies
// and inputs go to both, and what comes out is compared record by record.
package kstreams

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// Peer is a running Kafka Streams that answers cases.
type Peer struct{ java *testenv.JavaPeer }

// Start starts it and ends it with the test.
func Start(t testing.TB) *Peer {
	t.Helper()
	return &Peer{testenv.StartJava(t, testenv.KStreams(t), "reference.Differential")}
}

// Run returns what Kafka Streams' TopologyTestDriver makes of a case.
func (p *Peer) Run(c *Case) (*Result, error) {
	line, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	got, err := p.java.Ask(line)
	if err != nil {
		return nil, err
	}
	r := new(Result)
	if err := json.Unmarshal(got, r); err != nil {
		return nil, fmt.Errorf("the answer %q: %w", got, err)
	}
	return r, nil
}
