package lifecycle_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/lifecycle"
)

func TestProblems(t *testing.T) {
	var log bytes.Buffer
	ps := lifecycle.NewProblems(slog.New(slog.NewTextHandler(&log, nil)), "post")
	if ps.Err() != nil {
		t.Error("a fresh list has problems")
	}
	away := errors.New("away")
	for want := 1; want <= 3; want++ {
		if n := ps.Report("road", away); n != want {
			t.Errorf("reported %d times, want %d", n, want)
		}
	}
	ps.Report("bridge", errors.New("down"))
	if err := ps.Err(); !errors.Is(err, away) || err.Error() != "bridge: down\nroad: away" {
		t.Errorf("the problems are %v", err)
	}
	if n := strings.Count(log.String(), "post: road fails"); n != 1 {
		t.Errorf("a lasting problem was logged %d times:\n%s", n, &log)
	}
	ps.Solve("road")
	ps.Solve("road")
	ps.Solve("never reported")
	if n := strings.Count(log.String(), "works again"); n != 1 {
		t.Errorf("its end was logged %d times:\n%s", n, &log)
	}
	if n := ps.Report("road", away); n != 1 {
		t.Errorf("after it worked the count is %d", n)
	}
	ps.Forget("road", "bridge")
	if ps.Err() != nil {
		t.Errorf("after all: %v", ps.Err())
	}
}

func TestAnnouncedProblemsPass(t *testing.T) {
	ps := lifecycle.NewProblems(slog.New(slog.DiscardHandler), "post")
	ps.Announce("letters", errors.New("lost"), time.Hour)
	ps.Solve("letters")
	if ps.Err() == nil {
		t.Error("what cannot be mended was solved")
	}
	ps.Announce("letters", errors.New("lost"), time.Nanosecond)
	for began := time.Now(); ps.Err() != nil; {
		if time.Since(began) > 10*time.Second {
			t.Fatal("it does not pass")
		}
	}
}

func TestLimiterLeavesOutAndSaysSo(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	var l lifecycle.Limiter
	const lines = 1000
	for range lines {
		l.Log(logger, slog.LevelInfo, "line")
	}
	n := strings.Count(log.String(), "msg=line")
	if n < 10 || n > lines/2 {
		t.Fatalf("%d of %d lines came through", n, lines)
	}
	for began := time.Now(); !strings.Contains(log.String(), "like_this_not_logged"); l.Log(logger, slog.LevelInfo, "line") {
		if time.Since(began) > 10*time.Second {
			t.Fatal("what was left out is never told")
		}
	}
}
