package admin_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testenv/cartservice"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// TestJournalOfAService asks a whole service over HTTP: SQLite, hosts of entities.
func TestJournalOfAService(t *testing.T) {
	s := cartservice.Start(t, nil)
	s.Cart(t, "42", cartservice.Opened{Customer: "ann", Card: "4111"}, cartservice.ItemAdded{ID: "tea", Price: 5}, cartservice.ItemAdded{ID: "cup", Price: 7}, cartservice.CheckedOut{})
	for i := range 7 {
		s.Cart(t, fmt.Sprintf("5%d", i), cartservice.Opened{Customer: "bob"})
	}
	for _, name := range []string{"ann", "anna"} {
		if _, err := s.Profiles.Ask(t.Context(), "p1", name); err != nil {
			t.Fatal(err)
		}
	}
	foreign := journal.Write{PersistenceID: "order|1", Events: []journal.NewEvent{{Payload: journal.Payload{Serializer: 99, Manifest: "x", Data: []byte{0, 255}}}}}
	if _, err := s.DB.AppendGroup(t.Context(), []journal.Write{foreign}); err != nil {
		t.Fatal(err)
	}
	c := client(t, admin.ClientConfig{URL: s.URL})
	ctx := t.Context()

	types, err := c.EntityTypes(ctx)
	if got := fmt.Sprint(types); err != nil || got != "[{cart events true} {order events false} {profile states true}]" {
		t.Errorf("types: %s, %v", got, err)
	}
	for _, tt := range []struct {
		q    admin.EntityQuery
		want string
	}{
		{admin.EntityQuery{Type: "cart", Limit: 3}, "cart|42@4 cart|50@1 cart|51@1 next cart|51"},
		{admin.EntityQuery{Type: "cart", Limit: 30, After: "cart|54"}, "cart|55@1 cart|56@1"},
		{admin.EntityQuery{Type: "cart", Prefix: "42"}, "cart|42@4"},
		{admin.EntityQuery{Type: "cart", Prefix: "5", Limit: 2}, "cart|50@1 cart|51@1 next cart|51"},
		{admin.EntityQuery{Type: "cart", Prefix: "5", Limit: 20, After: "cart|55"}, "cart|56@1"},
		{admin.EntityQuery{Prefix: "order|"}, "order|1@1"},
		{admin.EntityQuery{Prefix: "nothing"}, ""},
		{admin.EntityQuery{Kind: admin.Durable}, "profile|p1@2"},
		{admin.EntityQuery{Kind: admin.Durable, Type: "profile", Prefix: "q"}, ""},
	} {
		page, err := c.Entities(ctx, tt.q)
		var got []string
		for _, e := range page.Entities {
			got = append(got, fmt.Sprintf("%s@%d", e.PersistenceID, e.SeqNr))
		}
		if page.Next != "" {
			got = append(got, "next "+page.Next)
		}
		if text := strings.Join(got, " "); err != nil || text != tt.want {
			t.Errorf("%+v: %s, %v, want %s", tt.q, text, err, tt.want)
		}
	}

	e, err := c.Entity(ctx, "cart|42")
	if err != nil || e.Type != "cart" || e.ID != "42" || e.SeqNr != 4 || e.First != 1 || !e.States || e.State != nil || e.Slice != journal.SliceOf("cart|42") {
		t.Errorf("entity: %+v, %v", e, err)
	}
	p, err := c.Entity(ctx, "profile|p1")
	if err != nil || p.State == nil || p.State.Revision != 2 || p.State.Payload.Text != `{"name":"anna","visits":2}` || p.States {
		t.Errorf("durable: %+v, %v", p, err)
	}
	events, err := c.Events(ctx, admin.EventQuery{PersistenceID: "cart|42", From: 2, Limit: 2})
	if err != nil || len(events.Events) != 2 || events.Next != 4 || events.Events[0].Payload.Text != `{"id":"tea","price":5}` || events.Events[0].Payload.Manifest != "item-added" || events.Events[0].Tags[0] != "carts" || events.Events[0].Writer == "" {
		t.Errorf("events: %+v, %v", events, err)
	}
	strange, err := c.Events(ctx, admin.EventQuery{PersistenceID: "order|1"})
	if err != nil || strange.Events[0].Payload.Format != "binary" || !strings.Contains(strange.Events[0].Payload.Problem, "99") {
		t.Errorf("what nobody can decode: %+v, %v", strange, err)
	}
	states, err := c.States(ctx, admin.StateQuery{PersistenceID: "cart|42", From: 1, To: 3})
	if err != nil || len(states.States) != 3 || string(states.States[2].State) != `{"customer":"ann","card":"4111","items":[{"id":"tea","price":5},{"id":"cup","price":7}],"total":12,"checkedOut":false}` {
		t.Errorf("states: %+v, %v", states, err)
	}
	last, err := c.States(ctx, admin.StateQuery{PersistenceID: "cart|42"})
	if err != nil || len(last.States) != 1 || last.States[0].SeqNr != 4 {
		t.Errorf("now: %+v, %v", last, err)
	}
	for what, ask := range map[string]func() error{
		"nobody": func() error { _, err := c.Entity(ctx, "cart|nobody"); return err },
		"the future": func() error {
			_, err := c.States(ctx, admin.StateQuery{PersistenceID: "cart|42", From: 9, To: 9})
			return err
		},
		"another type": func() error {
			_, err := c.States(ctx, admin.StateQuery{PersistenceID: "order|1", From: 1, To: 1})
			return err
		},
		"no events": func() error { _, err := c.States(ctx, admin.StateQuery{PersistenceID: "cart|nobody"}); return err },
	} {
		if err := ask(); !errors.Is(err, admin.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, q := range []admin.EventQuery{{}, {PersistenceID: "a", From: -1}, {PersistenceID: "a", From: 3, To: 2}, {PersistenceID: "a", Limit: 9999}, {PersistenceID: strings.Repeat("x", 300)}} {
		if _, err := c.Events(ctx, q); !errors.Is(err, admin.ErrInvalid) && !errors.Is(err, admin.ErrNotFound) {
			t.Errorf("%+v: %v", q, err)
		}
	}

	if _, err := s.DB.DeleteEvents(ctx, "cart|42", 2, false); err != nil {
		t.Fatal(err)
	}
	if e, err := c.Entity(ctx, "cart|42"); err != nil || e.First != 3 || e.SeqNr != 4 {
		t.Errorf("after a deletion: %+v, %v", e, err)
	}
}

// TestProjectionOfAService pauses, resets and rebuilds one over HTTP.
func TestProjectionOfAService(t *testing.T) {
	s := cartservice.Start(t, nil)
	c := client(t, admin.ClientConfig{URL: s.URL})
	ctx := t.Context()
	one := func() admin.ProjectionInfo {
		t.Helper()
		all, err := c.Projections(ctx)
		if err != nil || len(all) != 1 || all[0].Running == nil {
			t.Fatalf("%+v, %v", all, err)
		}
		return all[0]
	}
	until := func(what string, is func() bool) {
		t.Helper()
		testenv.Wait(t, what, 30*time.Second, is)
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s.Cart(t, "1", cartservice.Opened{}, cartservice.ItemAdded{ID: "tea", Price: 5})
	until("two events to be handled", func() bool { return one().Running.Handled == 2 })
	if p := one(); p.Name != cartservice.View || p.Source != "events type=cart" || p.Paused || len(p.Workers) != 1 || p.Consumed.IsZero() || p.Running.State != "running" {
		t.Errorf("%+v %+v", p, p.Running)
	}

	do(c.PauseProjection(ctx, cartservice.View))
	until("the pause", func() bool { return one().Running.State == "paused" && one().Paused })
	s.Cart(t, "1", cartservice.ItemAdded{ID: "cup", Price: 7})
	until("the lag", func() bool { return one().Running.LagEvents == 1 })
	do(c.ResumeProjection(ctx, cartservice.View))
	until("three events to be handled", func() bool { return one().Running.Handled == 3 && one().Running.LagEvents == 0 })

	do(second(c.RebuildProjection(ctx, admin.RebuildRequest{Projection: cartservice.View, Step: admin.RebuildStart})))
	until("the rebuild to catch up", func() bool {
		p := one()
		return p.Rebuilding && p.Running.Rebuild != nil && p.Running.Rebuild.State == "caught up"
	})
	do(s.DB.Update(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE cart_view SET total = 1`)
		return err
	}))
	var found admin.Rebuilt
	until("the difference", func() bool {
		var err error
		found, err = c.RebuildProjection(ctx, admin.RebuildRequest{Projection: cartservice.View, Step: admin.RebuildCompare})
		do(err)
		return len(found.Differences) == 1 && found.Differences[0].Copy == 1
	})
	if d := found.Differences[0]; d.OnlyLive != 1 || d.OnlyCopy != 1 || len(d.CopyRows) != 1 || !strings.Contains(d.CopyRows[0], "12") {
		t.Errorf("%+v", d)
	}
	do(second(c.RebuildProjection(ctx, admin.RebuildRequest{Projection: cartservice.View, Step: admin.RebuildSwap})))
	var total int
	do(s.DB.Update(ctx, func(tx *sqlite.Tx) error { return tx.QueryRow(ctx, `SELECT total FROM cart_view`).Scan(&total) }))
	if total != 12 {
		t.Errorf("after the swap the total is %d", total)
	}
	if err := second(c.RebuildProjection(ctx, admin.RebuildRequest{Projection: cartservice.View, Step: admin.RebuildCompare})); !errors.Is(err, admin.ErrConflict) {
		t.Errorf("comparing without a rebuild: %v", err)
	}

	handled := one().Running.Handled
	do(c.ResetProjection(ctx, admin.ProjectionReset{Projection: cartservice.View, To: "beginning"}))
	until("all to be handled again", func() bool { return one().Running.Handled >= handled+3 })
	do(c.ResetProjection(ctx, admin.ProjectionReset{Projection: cartservice.View, To: "now"}))
	do(c.ResetProjection(ctx, admin.ProjectionReset{Projection: cartservice.View, To: "time:" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}))
	s.Cart(t, "2", cartservice.ItemAdded{ID: cartservice.Poison})
	until("the projection to stop", func() bool { return one().Running.State == "failed" })
	if p := one().Running.Problem; !strings.Contains(p, "cart|2") || !strings.Contains(p, "no such product") {
		t.Errorf("the problem is %q", p)
	}
	for _, to := range []string{"", "yesterday", "time:x"} {
		if err := c.ResetProjection(ctx, admin.ProjectionReset{Projection: cartservice.View, To: to}); !errors.Is(err, admin.ErrInvalid) {
			t.Errorf("reset to %q: %v", to, err)
		}
	}
	for what, err := range map[string]error{
		"pause":   c.PauseProjection(ctx, "another"),
		"reset":   c.ResetProjection(ctx, admin.ProjectionReset{Projection: "another", To: "now"}),
		"step":    second(c.RebuildProjection(ctx, admin.RebuildRequest{Projection: cartservice.View, Step: "jump"})),
		"rebuild": second(c.RebuildProjection(ctx, admin.RebuildRequest{Projection: "another", Step: admin.RebuildStart})),
	} {
		want := map[string]error{"step": admin.ErrInvalid, "rebuild": admin.ErrConflict}[what]
		if want == nil {
			want = admin.ErrNotFound
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
