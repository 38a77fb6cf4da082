//go:build unix

package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
	"github.com/twmb/franz-go/pkg/kgo"
)

// office is where clerks work: processes that host the same entities, on one
// database and one topic of commands.
type office struct {
	testing.TB
	on       surroundings
	durable  bool
	db       storage.DB
	file     string // of SQLite
	folder   string
	database string
	schema   string
	cluster  kafka.Config
	client   *kgo.Client
	clerks   []*program
	// asked are the tokens of the commands in the topic by entity, in their order;
	// commands their ids.
	asked    map[string][]string
	commands map[string]string // token by id
	rounds   int
}

func newOffice(t testing.TB, on surroundings, durable, static bool) *office {
	t.Helper()
	o := &office{
		TB: t, on: on, durable: durable, database: on.postgres, folder: t.TempDir(), schema: "clerk_" + map[bool]string{true: "s", false: "e"}[durable],
		cluster: kafka.Config{Brokers: on.brokers, Prefix: testenv.Prefix(t), Logger: quiet},
		asked:   map[string][]string{}, commands: map[string]string{},
	}
	o.cluster.Prefix += o.schema + "."
	if on.postgres == "" {
		o.file = filepath.Join(t.TempDir(), "clerk.db")
		o.database = "sqlite:" + o.file
	}
	var err error
	if o.db, err = open.DB(t.Context(), o.database, open.Config{Schema: o.schema, Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.db.Close() })
	if o.client, err = kafka.NewClient(o.cluster); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.client.Close)
	for _, topic := range []string{orderedTo, orderedTo + ".replies", stamped} {
		if err := kafka.EnsureTopics(t.Context(), o.client, o.cluster, kafka.Topic{Name: topic}); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 2 {
		o.add(fmt.Sprintf("clerk-%d", n+1), static)
	}
	return o
}

func (o *office) add(name string, static bool) {
	o.Helper()
	p := &program{name: name}
	o.clerks = append(o.clerks, p)
	database, through := o.database, ""
	if o.on.postgres != "" {
		through = hostOf(o.TB, o.on.postgres)
	}
	p.line(o.TB, o.on.brokers[0], through)
	if p.db != nil {
		database = throughProxy(o.TB, database, p.db.Addr())
	}
	p.start(o.TB, roleClerk, clerkSettings{
		Database: database, Schema: o.schema, Durable: o.durable, Brokers: []string{p.kafka.Addr()}, Prefix: o.cluster.Prefix,
		Instance: name, Static: static, Acknowledged: o.acknowledged(), Pause: o.pause(),
	})
}

func (o *office) acknowledged() string { return filepath.Join(o.folder, "acknowledged") }
func (o *office) pause() string        { return filepath.Join(o.folder, "pause") }

// send puts commands into the topic, each of which wants a reply.
func (o *office) send(n int) {
	o.Helper()
	records := make([]*kgo.Record, n)
	for i := range records {
		key, token := sheetOf(i), fmt.Sprint("topic-", len(o.commands))
		e := event.New(orderedTo, key, stamp{token}).WithHeader(entity.HeaderReplyKey, "faults")
		e.Source = "/faults"
		o.asked[key] = append(o.asked[key], token)
		o.commands[e.ID] = token
		records[i] = kafka.ToRecord(o.cluster.Topic(orderedTo), e)
	}
	ctx, cancel := context.WithTimeout(o.Context(), patience)
	defer cancel()
	if err := o.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		o.Fatal(err)
	}
}

// drain waits until all commands of the topic were carried out.
func (o *office) drain(what string) {
	o.Helper()
	ctx, cancel := context.WithTimeout(o.Context(), patience)
	defer cancel()
	ends := lastOffsets(readCommitted(ctx, o.TB, o.cluster, orderedTo))
	var last string
	within(o.TB, "the commands are carried out after "+what, &last, func() bool {
		for partition, offset := range ends {
			next, err := handled(o.Context(), o.db, orderedTo, partition)
			if last = fmt.Sprintf("partition %d: %d of %d (%v)", partition, next, offset, err); err != nil || next <= offset {
				return false
			}
		}
		return true
	})
}

// round sends, waits and judges.
func (o *office) round(what string) {
	o.Helper()
	o.rounds++
	o.send(14)
	o.drain(what)
	o.judge(what)
}

// judge looks into the database: each command that was sent, or acknowledged, is there
// once and in order.
func (o *office) judge(what string) map[string][]string {
	o.Helper()
	acknowledged := o.readAcknowledged() // before the sheets, which grow
	sheets := map[string][]string{}
	for n := range sheetCount {
		key := sheetOf(n)
		sheets[key] = o.sheet(key)
		seen, viaTopic := map[string]bool{}, []string(nil)
		for _, token := range sheets[key] {
			if seen[token] {
				o.Errorf("%s: %s was carried out twice on %s", what, token, key)
			}
			if seen[token] = true; !isDirect(token) {
				viaTopic = append(viaTopic, token)
			}
		}
		if !slices.Equal(viaTopic, o.asked[key]) {
			o.Errorf("%s: %s has %v, sent were %v", what, key, viaTopic, o.asked[key])
		}
	}
	for _, a := range acknowledged {
		if tokens := sheets[a.key]; a.place < 1 || a.place > len(tokens) || tokens[a.place-1] != a.token {
			o.Errorf("%s: %s was acknowledged as number %d of %s, and is not there: %v", what, a.token, a.place, a.key, tokens)
		}
	}
	if o.Failed() {
		o.FailNow()
	}
	return sheets
}

// sheet reads an entity's tokens.
func (o *office) sheet(key string) (tokens []string) {
	o.Helper()
	pid, err := journal.PersistenceID("sheet", key)
	if err != nil {
		o.Fatal(err)
	}
	if o.durable {
		var state sheet
		e, ok, err := o.db.LoadState(o.Context(), pid)
		if err == nil && ok {
			err = json.Unmarshal(e.Payload.Data, &state)
		}
		if err != nil {
			o.Fatal(err)
		}
		if ok && int64(len(state.Tokens)) != e.SeqNr {
			o.Errorf("%s has %d tokens at revision %d", key, len(state.Tokens), e.SeqNr)
		}
		return state.Tokens
	}
	err = o.db.Events(o.Context(), pid, 1, 0, func(e journal.Event) error {
		var one stamp
		tokens = append(tokens, "")
		err := json.Unmarshal(e.Payload.Data, &one)
		tokens[len(tokens)-1] = one.Token
		return err
	})
	if err != nil {
		o.Fatal(err)
	}
	return tokens
}

type acknowledgement struct {
	key, token string
	place      int
}

// readAcknowledged leaves out a line that a kill cut.
func (o *office) readAcknowledged() (all []acknowledgement) {
	data, err := os.ReadFile(o.acknowledged())
	if err != nil && !os.IsNotExist(err) {
		o.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var a acknowledgement
		if n, _ := fmt.Sscanf(line, "%s %s %d\n", &a.key, &a.token, &a.place); n == 3 && strings.HasSuffix(line, "\n") {
			all = append(all, a)
		}
	}
	return all
}

// finish looks at the log too: one reply for each command, one message for each
// that was carried out.
func (o *office) finish() {
	o.Helper()
	if err := os.WriteFile(o.pause(), nil, 0o600); err != nil {
		o.Fatal(err)
	}
	var sheets, sent map[string][]string
	var last string
	within(o.TB, "the outbox is empty and nothing is under way", &last, func() bool {
		sheets = o.judge("in the end")
		var rows int64
		err := o.db.View(o.Context(), func(q storage.Querier) error {
			return q.QueryRow(o.Context(), `SELECT count(*) FROM pabal_outbox`).Scan(&rows)
		})
		if last = fmt.Sprintf("%d rows, %v", rows, err); err != nil || rows > 0 {
			return false
		}
		sent = o.messages()
		// A command that was given directly before the pause may come until now.
		return fmt.Sprint(sheets) == fmt.Sprint(o.judge("in the end"))
	})
	o.judgeReplies(sheets)
	for key, tokens := range sheets {
		if !slices.Equal(sent[key], tokens) {
			o.Errorf("%s has %d tokens and %d messages, or in another order:\n%v\n%v", key, len(tokens), len(sent[key]), tokens, sent[key])
		}
	}
	var kills int64
	for _, p := range o.clerks {
		kills += p.kills.Load()
	}
	tally.rounds.Add(int64(o.rounds))
	tally.messages.Add(int64(len(o.commands)))
	o.Logf("%d rounds, %d kills, %d commands through the topic and %d acknowledged directly, each carried out once and answered once",
		o.rounds, kills, len(o.commands), len(o.readAcknowledged()))
}

func (o *office) judgeReplies(sheets map[string][]string) {
	o.Helper()
	ctx, cancel := context.WithTimeout(o.Context(), patience)
	defer cancel()
	replies := map[string]int{}
	for _, r := range readCommitted(ctx, o.TB, o.cluster, orderedTo+".replies") {
		got, err := event.Decode[receipt](r.Event)
		if token := o.commands[r.CausationID]; err != nil || r.Headers[entity.HeaderOutcome] != entity.Replied || got.Token != token {
			o.Errorf("command %s (%s) was answered with %s %s, %v", r.CausationID, token, r.Headers[entity.HeaderOutcome], r.Payload, err)
		}
		replies[r.CausationID]++
		if !slices.ContainsFunc(slices.Collect(maps.Values(sheets)), func(tokens []string) bool {
			return got.Place >= 1 && got.Place <= len(tokens) && tokens[got.Place-1] == got.Token
		}) {
			o.Errorf("the reply %+v is of no sheet", got)
		}
	}
	for id, token := range o.commands {
		if replies[id] != 1 {
			o.Errorf("%s was answered %d times", token, replies[id])
		}
	}
}

// messages that were sent, by entity.
func (o *office) messages() map[string][]string {
	o.Helper()
	ctx, cancel := context.WithTimeout(o.Context(), patience)
	defer cancel()
	sent := map[string][]string{}
	for _, r := range readCommitted(ctx, o.TB, o.cluster, stamped) {
		token, err := event.Decode[string](r.Event)
		if err != nil {
			o.Fatal(err)
		}
		sent[r.Key] = append(sent[r.Key], token)
	}
	return sent
}
