package redrive

import (
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/event"
)

// TestManyLetters: lists and a redrive of thousands stay quick enough for people.
func TestManyLetters(t *testing.T) {
	e := newEnv(t)
	c := e.start()
	const n = 1000
	dead := make([]event.Event, n)
	for i := range dead {
		dead[i] = deadEvent(fmt.Sprint("key-", i), fmt.Sprintf("kind %c of %d", 'a'+rune(i%20), i))
	}
	e.put("payment.dead-letters", dead...)
	began := time.Now()
	open := func() int64 {
		page, err := c.Letters(e.admin(), api.LetterQuery{State: stateOpen, PageQuery: api.PageQuery{Limit: 1}})
		if err != nil {
			t.Fatal(err)
		}
		return page.Total
	}
	e.wait("the index", func() bool { return open() == n })
	t.Logf("indexed in %s", time.Since(began))
	began = time.Now()
	if kinds := e.fingerprints(); len(kinds) != 20 || kinds[0].Open != n/20 {
		t.Errorf("%d kinds, %+v", len(kinds), kinds[0])
	}
	ids := make([]string, 0, n)
	for q := (api.LetterQuery{PageQuery: api.PageQuery{Limit: 300}}); len(ids) < n; {
		page, err := c.Letters(e.admin(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Items {
			ids = append(ids, l.ID)
		}
		q.Cursor = page.Next
	}
	t.Logf("listed in %s", time.Since(began))
	began = time.Now()
	done := e.waitEnded(e.redrive(api.RedriveRequest{IDs: ids}).ID) // of a consumer that no service has
	if done.Total != n || done.Skipped != n {
		t.Errorf("%+v", done)
	}
	t.Logf("redriven in %s", time.Since(began))
}
