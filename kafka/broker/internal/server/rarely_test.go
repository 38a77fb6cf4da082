package server

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestWhatRepeatsIsLoggedRarely(t *testing.T) {
	var said bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&said, nil))
	var r rarely
	now := time.Unix(1000, 0)
	for range 100 {
		r.error(logger, now, occasion{"bad", "t", 0})
		r.error(logger, now, occasion{"bad", "t", 1})
		now = now.Add(againAfter / 40)
	}
	r.error(logger, now.Add(-time.Hour), occasion{"bad", "t", 0}) // the clock was set back
	if got := strings.Count(said.String(), "bad"); got != 7 {
		t.Errorf("%d lines:\n%s", got, &said)
	}
	for i := range 3 * mostOccasions {
		r.error(logger, now, occasion{"bad", fmt.Sprint(i), 0})
	}
	if len(r.told) > mostOccasions {
		t.Errorf("%d occasions are remembered", len(r.told))
	}
}
