package redrive

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
)

func TestJourney(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { journey(t, newEnv(t)) })
	t.Run("servers", func(t *testing.T) {
		journey(t, envOn(t, kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t)}))
	})
}

// journey: messages die, the handler is mended, they are redriven as a whole, and
// each takes effect once.
func journey(t *testing.T, e *env) {
	e.broken.Store(true)
	e.service()
	c := e.start()
	events := e.send(30, "account-")
	e.waitLetters("open", 30)

	kinds := e.fingerprints()
	if len(kinds) != 1 {
		t.Fatalf("fingerprints: %+v", kinds)
	}
	kind := kinds[0]
	if kind.Consumer != "payment" || kind.Topic != e.cluster.Topic("orders") || kind.Open != 30 || !strings.Contains(kind.Error, errBoom.Error()) {
		t.Errorf("fingerprint: %+v", kind)
	}
	letter, err := c.Letter(e.admin(), e.letters("open")[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if letter.Message == nil || letter.Message.Value.Format != "json" || letter.Attempts != 2 || letter.Failures != 1 || letter.Obstacle != "" || letter.Event.Type != "order-placed" {
		t.Errorf("letter: %+v", letter)
	}

	dry := e.redrive(api.RedriveRequest{Fingerprint: kind.ID, DryRun: true})
	if dry.State != "planned" || dry.Total != 30 || dry.Skipped != 0 || len(dry.Preview) != previewed || len(e.letters("open")) != 30 {
		t.Errorf("dry run: %+v", dry)
	}

	e.broken.Store(false)
	job := e.redrive(api.RedriveRequest{Fingerprint: kind.ID, PerSecond: 1000, Reason: "account service mended"})
	if done := e.waitEnded(job.ID); done.State != "done" || done.Total != 30 || done.Sent != 30 || done.Handled != 30 || done.Renewed != 0 || done.User != "kim" {
		t.Errorf("redrive: %+v", done)
	}
	e.once(events)
	e.waitLetters("handled", 30)
	if kind := e.fingerprints()[0]; kind.Open != 0 || kind.Redriven != 0 || kind.Handled != 30 {
		t.Errorf("fingerprint: %+v", kind)
	}
	entries, err := e.audit.Entries(t.Context(), api.PageQuery{})
	if err != nil || len(entries.Items) != 2 || entries.Items[1].Outcome != "begun" || entries.Items[0].Outcome != "done" {
		t.Fatalf("audit: %+v, %v", entries, err)
	}
	for _, entry := range entries.Items {
		var detail map[string]any
		if err := json.Unmarshal([]byte(entry.Detail), &detail); err != nil || detail["reason"] != "account service mended" || entry.User != "kim" || entry.Role != api.Admin {
			t.Errorf("audit: %+v, %v", entry, err)
		}
	}
}
