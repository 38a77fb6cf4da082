package service

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

var term = Duration{Name: "loan-term", Help: "How long.", Default: time.Hour}

func library() Definition {
	return Definition{
		System: "town", Name: "library", Port: 1,
		Consumes: []string{"book-lent", "book-back"}, Produces: []string{"book-late", "book-lent"},
		Durations: []Duration{term},
	}
}

// TestFlagsFollowTheDefinition: each topic and each duration has a flag and a
// variable of the environment.
func TestFlagsFollowTheDefinition(t *testing.T) {
	t.Setenv("LIBRARY_TOPIC_BOOK_BACK", "returned")
	c, err := parse(t.Context(), library(), []string{"--topic-book-late=overdue", "--loan-term=336h"}, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = c.withDefaults(library()); err != nil {
		t.Fatal(err)
	}
	env := Env{Topics: c.Topics, Durations: c.Durations}
	for standard, want := range map[string]string{"book-lent": "book-lent", "book-back": "returned", "book-late": "overdue", "other": "other"} {
		if got := env.Topic(standard); got != want {
			t.Errorf("topic %s is named %s, want %s", standard, got, want)
		}
	}
	if got := env.Duration(term); got != 336*time.Hour {
		t.Errorf("loan term %s", got)
	}
	if got := (Env{}).Duration(term); got != time.Hour {
		t.Errorf("default of the loan term %s", got)
	}
}

func TestBadDurationsAreRefused(t *testing.T) {
	for arg, says := range map[string]string{"--loan-term=0s": "loan-term is 0s, not above 0", "--loan-term=-1h": "above 0", "--loan-term=long": "long"} {
		var stderr bytes.Buffer
		if code := Command(context.Background(), library(), []string{arg}, io.Discard, &stderr); code != ExitUsage || !strings.Contains(stderr.String(), says) {
			t.Errorf("%s: exit %d, %s", arg, code, &stderr)
		}
	}
	if _, err := New(library(), Config{Database: "sqlite:x.db", Durations: map[string]time.Duration{"loan": time.Hour}}); err == nil || !strings.Contains(err.Error(), "loan") {
		t.Errorf("unknown duration: %v", err)
	}
}

func TestSystemFindsItsServices(t *testing.T) {
	s := System{Name: "town", Definitions: []Definition{library(), {Name: "school"}}}
	if d, err := s.Find("school"); err != nil || d.Name != "school" {
		t.Errorf("%v, %v", d.Name, err)
	}
	if _, err := s.New("shop", Config{}); err == nil || !strings.Contains(err.Error(), "library, school") {
		t.Errorf("unknown service: %v", err)
	}
}

func TestClockIsInjected(t *testing.T) {
	at := time.Date(2026, 11, 20, 1, 2, 3, 4567, time.FixedZone("", 3600))
	if got := (Env{Clock: func() time.Time { return at }}).Now(); !got.Equal(at.Truncate(time.Microsecond)) || got.Location() != time.UTC {
		t.Errorf("now is %s", got)
	}
	if got := (Env{}).Now(); time.Since(got).Abs() > time.Hour {
		t.Errorf("now is %s", got)
	}
}
