package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testenv/countservice"
	"github.com/pabal-dev/pabal/kafka"
)

// TestStreams looks at an application of two instances that do not know where the other is,
// pauses it, stops it, and has it begin anew.
func TestStreams(t *testing.T) {
	t.Parallel()
	r := startUp(t)
	cluster := kafka.Config{Brokers: []string{r.kafka}}
	countservice.MakeTopics(t, cluster)
	noon := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
	for n := range 8 {
		countservice.Visit(t, cluster, fmt.Sprintf("page-%d", n), n+1, noon)
	}
	dirs := []string{t.TempDir(), t.TempDir()}
	both := []*countservice.Instance{countservice.Start(t, cluster, "one", dirs[0], false), countservice.Start(t, cluster, "two", dirs[1], false)}
	testenv.Wait(t, "both instances to run all tasks", countservice.Timeout, func() bool {
		got := pabal(t, "streams", "describe", countservice.Application, "--output=json", "--server="+r.server)
		return got.code == exitOK && strings.Count(got.stdout, `"state": "running"`) == 1+2*countservice.Partitions && strings.Contains(got.stdout, `"instances": 2`)
	})
	r.queriesStores(t)
	r.describesStreams(t)
	r.pausesStreams(t)
	for _, i := range both {
		i.Stop()
	}
	r.resetsStreams(t)
}

func (r *running) queriesStores(t *testing.T) {
	t.Helper()
	for n := range 8 { // on whichever instance it is
		key := fmt.Sprintf("page-%d", n)
		testenv.Wait(t, key+" to be counted", countservice.Timeout, func() bool {
			got := pabal(t, "streams", "query", countservice.Application, countservice.Totals, key, "--output=json", "--server="+r.server)
			return got.code == exitOK && strings.Contains(got.stdout, fmt.Sprintf(`"value": %d`, n+1))
		})
	}
	windows := answer[admin.StorePage](t, r, "streams", "query", countservice.Application, countservice.Minutes, "page-3", "--since=2026-03-01T12:00:00Z")
	if len(windows.Entries) != 1 || string(windows.Entries[0].Value) != "4" || windows.Entries[0].WindowEnd == nil {
		t.Errorf("%+v", windows)
	}
	shown := pabal(t, "streams", "query", countservice.Application, countservice.Minutes, "page-3", "--server="+r.server)
	if shown.code != exitOK || !strings.Contains(shown.stdout, "2026-03-01T12:01:00.000Z") {
		t.Errorf("%+v", shown)
	}
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"query visits visits-by-page nobody", 4, `no key "nobody"`},
		{"query visits nothing a", 4, "nothing"},
		{"query other visits-by-page a", 4, "other"},
		{"query visits visits-by-page a --prefix=b", exitUsage, "--prefix"},
		{"query visits visits-by-page --prefix=b --from=a", exitUsage, "--prefix"},
		{"query visits visits-by-page --limit=-1", exitUsage, "--limit"},
		{"query visits visits-by-minute page-1 --since=noon", exitUsage, "noon"},
		{"query visits visits-by-page", 7, "without an Endpoint"}, // both have a part
		{"describe other", 4, "other"},
		{"pause other", 4, "other"},
		{"reset visits", 6, "members"},
		{"reset visits --dry-run", 6, "members"},
		{"reset visits --to=end", exitUsage, "--to"},
		{"reset nobody", 4, "nobody"},
	} {
		got := pabal(t, append(append([]string{"streams"}, strings.Fields(tt.args)...), "--server="+r.server)...)
		if got.code != tt.code || !strings.Contains(got.stderr, tt.says) || got.stdout != "" {
			t.Errorf("%s: %+v, want %d and %q", tt.args, got, tt.code, tt.says)
		}
	}
}

func (r *running) describesStreams(t *testing.T) {
	t.Helper()
	list := answer[api.StreamsList](t, r, "streams")
	if len(list.Items) != 1 || list.Items[0].State != "running" || list.Items[0].Instances != 2 || list.Items[0].Records == 0 || list.Items[0].Services[0] != countservice.Name {
		t.Errorf("%+v", list)
	}
	if none := answer[api.StreamsList](t, r, "streams", "list", "--service=other"); len(none.Items) != 0 {
		t.Errorf("%+v", none)
	}
	shown := pabal(t, "streams", "describe", countservice.Application, "--server="+r.server)
	for _, word := range []string{"running", "one", "two", "1_2", countservice.Minutes, "Sub-topology: 1"} {
		if shown.code != exitOK || !strings.Contains(shown.stdout, word) {
			t.Errorf("it does not say %q: %+v", word, shown)
		}
	}
}

func (r *running) pausesStreams(t *testing.T) {
	t.Helper()
	state := func() string { return answer[api.StreamsList](t, r, "streams").Items[0].State }
	if got := pabal(t, "streams", "pause", countservice.Application, "--server="+r.server); got.code != exitOK || !strings.Contains(got.stdout, "paused in 2") || state() != "paused" {
		t.Errorf("%+v, %s", got, state())
	}
	if got := pabal(t, "streams", "resume", countservice.Application, "--server="+r.server); got.code != exitOK || !strings.Contains(got.stdout, "goes on in 2") || state() != "running" {
		t.Errorf("%+v, %s", got, state())
	}
	audit := answer[api.Page[api.AuditEntry]](t, r, "audit", "--search=pause application")
	if len(audit.Items) < 2 || audit.Items[0].Target != countservice.Application || audit.Items[0].Outcome != "done" {
		t.Errorf("%+v", audit.Items)
	}
}

func (r *running) resetsStreams(t *testing.T) {
	t.Helper()
	planned := answer[api.StreamsReset](t, r, "streams", "reset", countservice.Application, "--dry-run")
	if len(planned.Moves) != countservice.Partitions || len(planned.Deleted) != 3 || !planned.DryRun {
		t.Errorf("%+v", planned)
	}
	done := answer[api.StreamsReset](t, r, "streams", "reset", countservice.Application)
	if len(done.Deleted) != 3 || len(done.Notes) == 0 || done.DryRun {
		t.Errorf("%+v", done)
	}
	for _, m := range done.Moves {
		if m.To != 0 || m.Problem != "" {
			t.Errorf("%+v", m)
		}
	}
	testenv.Wait(t, "its topics to be gone", countservice.Timeout, func() bool {
		return len(answer[api.StreamsReset](t, r, "streams", "reset", countservice.Application, "--dry-run").Deleted) == 0
	})
}
