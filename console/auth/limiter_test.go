package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

func TestGuessingIsSlowedDown(t *testing.T) {
	c := newClock()
	u := load(t, usersFile(t, "ann:viewer:"+cheap, "bob:viewer:"+cheap), c)
	try := func(user, password, from string) error {
		_, err := u.Password(t.Context(), user, password, from)
		return err
	}
	for i := range 5 {
		if err := try("ann", "wrong", "192.0.2.1"); !errors.Is(err, api.ErrUnauthenticated) {
			t.Fatalf("guess %d: %v", i, err)
		}
	}
	if err := try("ann", password, "192.0.2.1"); !errors.Is(err, api.ErrBusy) || !strings.Contains(err.Error(), "12 s") {
		t.Errorf("the sixth: %v", err)
	}
	if err := try("ann", password, "192.0.2.2"); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	if err := try("bob", password, "192.0.2.1"); err != nil {
		t.Errorf("another name: %v", err)
	}
	c.add(12 * time.Second)
	if err := try("ann", password, "192.0.2.1"); err != nil {
		t.Errorf("12 s later: %v", err)
	}
	for i := range 100 {
		err := try(fmt.Sprint("name", i), "wrong", "2001:db8::"+fmt.Sprint(i)) // one network
		if i >= 20 && !errors.Is(err, api.ErrBusy) {
			t.Fatalf("guess %d of an address: %v", i, err)
		}
	}
}

// TestGuessesAtOnceCount: attempts count before they are judged.
func TestGuessesAtOnceCount(t *testing.T) {
	u := load(t, usersFile(t, "ann:viewer:"+cheap), newClock())
	var mu sync.Mutex
	judged := 0
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, err := u.Password(context.Background(), "ann", "wrong", "192.0.2.1")
			if errors.Is(err, api.ErrUnauthenticated) {
				mu.Lock()
				judged++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if judged != 5 {
		t.Errorf("%d guesses were judged, want 5", judged)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	c := newClock()
	l := newLimiter(c.Now)
	for i := range maxBuckets + maxBuckets/2 {
		_ = l.take(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), strings.Repeat("x", 1000))
		if i%1000 == 0 {
			c.add(time.Second)
		}
	}
	if len(l.buckets) > maxBuckets {
		t.Errorf("%d buckets", len(l.buckets))
	}
	for k := range l.buckets {
		if len(k.name) > 65 {
			t.Fatalf("a name of %d bytes is remembered", len(k.name))
		}
	}
}

// TestHashingIsBounded: who waits too long, or goes away, is told so, and it is no
// failure of his.
func TestHashingIsBounded(t *testing.T) {
	u := load(t, usersFile(t, "ann:viewer:"+cheap), newClock())
	for range cap(u.hashing) {
		u.hashing <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 30 {
		if _, err := u.Password(ctx, "ann", password, "192.0.2.1"); !errors.Is(err, api.ErrBusy) {
			t.Fatal(err)
		}
	}
	<-u.hashing
	if _, err := u.Password(t.Context(), "ann", password, "192.0.2.1"); err != nil {
		t.Error(err)
	}
}
