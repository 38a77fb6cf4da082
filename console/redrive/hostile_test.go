package redrive

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// put writes records of events to a topic, which is made where it is missing.
func (e *env) put(topic string, events ...event.Event) {
	e.Helper()
	e.topic(topic, map[string]string{"max.message.bytes": "8000000"})
	records := make([]*kgo.Record, len(events))
	for i, ev := range events {
		records[i] = kafka.ToRecord(e.cluster.Topic(topic), ev)
	}
	e.produce(records...)
}

func (e *env) produce(records ...*kgo.Record) {
	e.Helper()
	client, err := kafka.NewClient(e.cluster, kgo.ProducerBatchMaxBytes(8_000_000), kgo.UnknownTopicRetries(50), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		e.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(e.Context(), records...).FirstErr(); err != nil {
		e.Fatal(err)
	}
}

func deadEvent(key, reason string, more ...string) event.Event {
	ev := event.New("order-placed", key, map[string]string{"card": "4711-0815-4711", "note": "plain"})
	ev.Source = "/test"
	ev.Headers = map[string]string{inbox.HeaderConsumer: "payment", inbox.HeaderTopic: "orders", inbox.HeaderPartition: "0", inbox.HeaderOffset: "7",
		inbox.HeaderAttempts: "5", inbox.HeaderError: reason, inbox.HeaderTime: time.Now().UTC().Format(time.RFC3339Nano)}
	for i := 0; i+1 < len(more); i += 2 {
		ev.Headers[more[i]] = more[i+1]
	}
	return ev
}

func TestHostileLetters(t *testing.T) {
	e := newEnv(t)
	c := e.start()
	huge := strings.Repeat("<script>alert(1)</script>\x00\xff한", 30_000)
	e.put("evil.dead-letters",
		deadEvent("a", huge),
		deadEvent("b", "x", inbox.HeaderTopic, "../../etc", inbox.HeaderConsumer, "<b>"),
		deadEvent("c", "x", inbox.HeaderAttempts, "99999999999999999999", inbox.HeaderPartition, "-1", inbox.HeaderOffset, "NaN", inbox.HeaderTime, "9999-01-01T00:00:00Z"),
		deadEvent("d", "x", inbox.HeaderOmitted, "value"),
		deadEvent("e", "x", inbox.HeaderRaw+"bin", "base64:/w=="),
		deadEvent("f", "x", outbox.HeaderOutbox, "018f3c2e-7a1b-7cde-8f00-0123456789ab", outbox.HeaderRow, "minus one"),
		deadEvent("g", "x", outbox.HeaderOutbox, "' OR 1=1 --", outbox.HeaderRow, "1"),
	)
	e.produce(
		&kgo.Record{Topic: "evil.dead-letters", Value: []byte("no event at all")},
		&kgo.Record{Topic: "evil.dead-letters", Key: []byte{0xff}, Headers: []kgo.RecordHeader{{Key: "\xff\x00", Value: nil}, {Key: inbox.HeaderConsumer, Value: []byte("payment")}}},
		&kgo.Record{Topic: "evil.dead-letters"},
	)
	letters := e.waitLetters("open", 10)
	obstacles := map[string]string{}
	for _, l := range letters {
		obstacles[l.Event.Key] = l.Obstacle
		if l.Obstacle == "" || len(l.Error) > maxError+3 || !utf8.ValidString(l.Error) || strings.Contains(l.Error, "\x00") || l.At.After(time.Now()) {
			t.Errorf("%.300s", fmt.Sprintf("%+v", l))
		}
		whole, err := c.Letter(e.admin(), l.ID)
		if err != nil || whole.Message == nil {
			t.Errorf("%s: %v", l.ID, err)
		}
	}
	for key, want := range map[string]string{
		"b": "neither a consumer nor an outbox", "d": "left out", "e": "no text", "f": "row of its outbox", "g": "payment",
	} {
		if !strings.Contains(obstacles[key], want) {
			t.Errorf("letter %s: obstacle %q, want %q", key, obstacles[key], want)
		}
	}
	for _, kind := range e.fingerprints() {
		done := e.waitEnded(e.redrive(api.RedriveRequest{Fingerprint: kind.ID}).ID)
		if done.Sent != 0 || done.Skipped != done.Total {
			t.Errorf("%+v", done)
		}
	}
}

func TestBadRequests(t *testing.T) {
	e := newEnv(t)
	c := e.start()
	e.put("payment.dead-letters", deadEvent("a", "x"), deadEvent("b", "x"))
	letters := e.waitLetters("open", 2)
	kind := e.fingerprints()[0].ID
	huge, small := strings.Repeat("x", 10<<20), "x"
	many := make([]string, maxIDs+1)
	for i := range many {
		many[i] = fmt.Sprintf("payment.dead-letters/0/%d", i)
	}
	one := []string{letters[0].ID}
	for what, tt := range map[string]struct {
		request api.RedriveRequest
		want    error
	}{
		"nothing":             {api.RedriveRequest{}, api.ErrInvalid},
		"both":                {api.RedriveRequest{IDs: one, Fingerprint: kind}, api.ErrInvalid},
		"no id":               {api.RedriveRequest{IDs: []string{"nonsense"}}, api.ErrInvalid},
		"a negative offset":   {api.RedriveRequest{IDs: []string{"payment.dead-letters/0/-1"}}, api.ErrInvalid},
		"a huge partition":    {api.RedriveRequest{IDs: []string{"payment.dead-letters/99999999999/1"}}, api.ErrInvalid},
		"a path":              {api.RedriveRequest{IDs: []string{"../x/0/1"}}, api.ErrInvalid},
		"an unknown letter":   {api.RedriveRequest{IDs: []string{"payment.dead-letters/0/123456"}}, api.ErrNotFound},
		"10,000 unknown ones": {api.RedriveRequest{IDs: many[:maxIDs]}, api.ErrNotFound},
		"10,001":              {api.RedriveRequest{IDs: many}, api.ErrTooLarge},
		"unknown fingerprint": {api.RedriveRequest{Fingerprint: strings.Repeat("0", 20)}, api.ErrNotFound},
		"another cluster's":   {api.RedriveRequest{Fingerprint: fingerprint("another", giver{consumer: "payment"}, "orders", "x")}, api.ErrNotFound},
		"long fingerprint":    {api.RedriveRequest{Fingerprint: huge}, api.ErrInvalid},
		"value of 10 MB":      {api.RedriveRequest{IDs: one, Value: &huge}, api.ErrTooLarge},
		"value of two":        {api.RedriveRequest{IDs: []string{letters[0].ID, letters[1].ID}, Value: &small}, api.ErrInvalid},
		"value of a kind":     {api.RedriveRequest{Fingerprint: kind, Value: &small}, api.ErrInvalid},
		"no JSON":             {api.RedriveRequest{IDs: one, Value: &small}, api.ErrInvalid},
		"rate below zero":     {api.RedriveRequest{IDs: one, PerSecond: -1}, api.ErrInvalid},
		"rate of no number":   {api.RedriveRequest{IDs: one, PerSecond: math.NaN()}, api.ErrInvalid},
		"rate without end":    {api.RedriveRequest{IDs: one, PerSecond: math.Inf(1)}, api.ErrInvalid},
		"rate of years":       {api.RedriveRequest{IDs: one, PerSecond: 1e-300}, api.ErrInvalid},
		"stop below zero":     {api.RedriveRequest{IDs: one, StopAfter: -1}, api.ErrInvalid},
		"long reason":         {api.RedriveRequest{IDs: one, Reason: huge}, api.ErrInvalid},
	} {
		for _, dry := range []bool{false, true} {
			tt.request.DryRun = dry
			if _, err := c.Redrive(e.admin(), tt.request); !errors.Is(err, tt.want) || len(err.Error()) > 500 {
				t.Errorf("%s, dry %v: %.300v, want %v", what, dry, err, tt.want)
			}
		}
	}
	for _, q := range []api.PageQuery{{Limit: -1}, {Limit: 501}, {Cursor: "x"}, {Cursor: "1-" + huge}, {Search: huge}} {
		if _, err := c.Fingerprints(e.admin(), api.FingerprintQuery{PageQuery: q}); !errors.Is(err, api.ErrInvalid) {
			t.Errorf("fingerprints %.50v: %v", q, err)
		}
		if _, err := c.Letters(e.admin(), api.LetterQuery{PageQuery: q}); !errors.Is(err, api.ErrInvalid) {
			t.Errorf("letters %.50v: %v", q, err)
		}
	}
	if _, err := c.Letters(e.admin(), api.LetterQuery{State: "closed"}); !errors.Is(err, api.ErrInvalid) {
		t.Error(err)
	}
	for _, id := range []string{"x", huge} {
		if _, err := c.RedriveByID(e.admin(), id); !errors.Is(err, api.ErrNotFound) {
			t.Error(err)
		}
		if _, err := c.CancelRedrive(e.admin(), id); !errors.Is(err, api.ErrNotFound) {
			t.Error(err)
		}
		if _, err := c.Letter(e.admin(), id); !errors.Is(err, api.ErrInvalid) {
			t.Error(err)
		}
	}
	page, err := e.audit.Entries(t.Context(), api.PageQuery{})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("audit: %+v, %v", page, err)
	}
}

// refusing is an audit log on a full disk.
type refusing struct{ api.Audit }

func (refusing) Record(_ context.Context, _ api.AuditEntry) error {
	return fmt.Errorf("%w: no space left on device", api.ErrUnavailable)
}

func TestWhatCannotBeRecordedIsRefused(t *testing.T) {
	e := newEnv(t)
	c := e.start(func(c *Center) { c.config.Audit = refusing{} })
	e.put("payment.dead-letters", deadEvent("a", "x"))
	e.waitLetters("open", 1)
	if _, err := c.Redrive(e.admin(), api.RedriveRequest{Fingerprint: e.fingerprints()[0].ID}); !errors.Is(err, api.ErrUnavailable) {
		t.Error(err)
	}
	if page, err := c.Redrives(e.admin(), api.PageQuery{}); err != nil || len(page.Items) != 0 {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestMasking(t *testing.T) {
	e := newEnv(t)
	rules, err := mask.New([]mask.Rule{{Topics: []string{"orders"}, Fields: []string{"card"}, Keys: true, Reveal: api.Admin}}, "")
	if err != nil {
		t.Fatal(err)
	}
	c := e.start(func(c *Center) { c.config.Mask = rules })
	e.put("payment.dead-letters", deadEvent("secret-key", "x"))
	id := e.waitLetters("open", 1)[0].ID
	operator := api.WithUser(t.Context(), api.User{Name: "lee", Role: api.Operator})
	l, err := c.Letter(operator, id)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v %+v", l, *l.Message); strings.Contains(text, "4711-0815") || strings.Contains(text, "secret-key") || !strings.Contains(text, "plain") || len(l.Message.Masked) == 0 {
		t.Error(text)
	}
	for _, search := range []string{"secret-key", "SECRET"} {
		q := api.LetterQuery{PageQuery: api.PageQuery{Search: search}}
		if page, err := c.Letters(operator, q); err != nil || len(page.Items) != 0 {
			t.Errorf("a search tells what is masked: %+v, %v", page, err)
		}
		if page, err := c.Letters(e.admin(), q); err != nil || len(page.Items) != 1 {
			t.Errorf("%+v, %v", page, err)
		}
	}
	value := `{"card":"•••"}`
	if _, err := c.Redrive(operator, api.RedriveRequest{IDs: []string{id}, Value: &value}); !errors.Is(err, api.ErrForbidden) || !strings.Contains(err.Error(), "masked") {
		t.Errorf("an edit of what is masked: %v", err)
	}
	dry, err := c.Redrive(operator, api.RedriveRequest{IDs: []string{id}, DryRun: true})
	if err != nil || strings.Contains(fmt.Sprintf("%+v", dry), "4711-0815") {
		t.Errorf("%+v, %v", dry, err)
	}
}

func TestPagesOfLetters(t *testing.T) {
	e := newEnv(t)
	c := e.start()
	var dead []event.Event
	for i := range 25 {
		dead = append(dead, deadEvent(fmt.Sprintf("key-%02d", i), []string{"alpha", "beta 1", "gamma"}[i%3]))
	}
	e.put("payment.dead-letters", dead...)
	e.waitLetters("open", 25)
	seen := map[string]bool{}
	last := time.Now()
	for q := (api.LetterQuery{PageQuery: api.PageQuery{Limit: 4}}); ; {
		page, err := c.Letters(e.admin(), q)
		if err != nil || page.Total != 25 {
			t.Fatal(page.Total, err)
		}
		for _, l := range page.Items {
			if seen[l.ID] || l.At.After(last) {
				t.Errorf("%s comes twice, or late", l.ID)
			}
			seen[l.ID], last = true, l.At
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if len(seen) != 25 {
		t.Errorf("%d letters of 25", len(seen))
	}
	kinds := map[string]bool{}
	for q := (api.FingerprintQuery{PageQuery: api.PageQuery{Limit: 1}}); ; {
		page, err := c.Fingerprints(e.admin(), q)
		if err != nil || page.Total != 3 {
			t.Fatal(page, err)
		}
		for _, f := range page.Items {
			kinds[f.Error] = true
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if len(kinds) != 3 {
		t.Errorf("%v", kinds)
	}
	for search, want := range map[string]int{"KEY-07": 1, "beta": 8, "%": 0, "_": 0, "order-placed": 25} {
		page, err := c.Letters(e.admin(), api.LetterQuery{PageQuery: api.PageQuery{Search: search}})
		if err != nil || len(page.Items) != want {
			t.Errorf("search %q: %d letters, want %d; %v", search, len(page.Items), want, err)
		}
	}
}

// TestLogOfLetters: what the log loses, the index loses; a new topic of the same
// name is another one; a restart reads nothing twice; bounds hold.
func TestLogOfLetters(t *testing.T) {
	e := newEnv(t)
	c := e.start()
	adm := kadm.NewClient(e.client)
	e.put("x.dead-letters", deadEvent("a", "x"), deadEvent("a", "x"), deadEvent("a", "x"))
	letters := e.waitLetters("open", 3)
	e.stop(c)
	c = e.start()
	e.put("x.dead-letters", deadEvent("a", "x"))
	e.waitLetters("open", 4)

	upTo := kadm.Offsets{}
	upTo.Add(kadm.Offset{Topic: "x.dead-letters", Partition: partitionOf(letters[0].ID), At: 2})
	if _, err := adm.DeleteRecords(t.Context(), upTo); err != nil {
		t.Fatal(err)
	}
	e.waitLetters("open", 2)

	if _, err := adm.DeleteTopic(t.Context(), "x.dead-letters"); err != nil {
		t.Fatal(err)
	}
	e.wait("a new topic of the name", func() bool {
		err := kafka.EnsureTopics(t.Context(), e.client, e.cluster, kafka.Topic{Name: "x.dead-letters"})
		topics, listed := adm.ListTopics(t.Context(), "x.dead-letters")
		return err == nil && listed == nil && topics["x.dead-letters"].Err == nil
	})
	e.put("x.dead-letters", deadEvent("new", "y"))
	e.wait("the letter of the new topic alone", func() bool {
		all := e.letters("")
		return len(all) == 1 && all[0].Event.Key == "new"
	})
	if kinds := e.fingerprints(); len(kinds) != 1 {
		t.Errorf("%+v", kinds)
	}

	e.stop(c)
	e.start(func(c *Center) { c.config.MaxLetters = 5 })
	var more []event.Event
	for i := range 20 {
		more = append(more, deadEvent("a", fmt.Sprint("kind ", strings.Repeat("x", i))))
	}
	e.put("x.dead-letters", more...)
	e.wait("the latest five", func() bool {
		all := e.letters("")
		return len(all) == 5 && strings.HasSuffix(all[0].Error, strings.Repeat("x", 19)) && len(e.fingerprints()) == 5
	})
}

func partitionOf(id string) int32 {
	p, _ := parsePlace(id)
	return p.partition
}

// TestAnotherCluster: the letters of one cluster are not shown for another, and its
// redrives do not go on there.
func TestAnotherCluster(t *testing.T) {
	e := newEnv(t)
	c := e.start()
	e.put("payment.dead-letters", deadEvent("a", "x"))
	e.waitLetters("open", 1)
	kind := e.fingerprints()[0].ID
	e.stop(c)

	other := newEnv(t)
	other.path = e.path
	c = other.start()
	other.wait("the other cluster", func() bool { return len(other.letters("")) == 0 })
	if _, err := c.Redrive(other.admin(), api.RedriveRequest{Fingerprint: kind}); !errors.Is(err, api.ErrNotFound) {
		t.Error(err)
	}
	other.stop(c)
	e.start()
	e.waitLetters("open", 1)
}

// TestKafkaAway: the index answers, and what needs Kafka says so.
func TestKafkaAway(t *testing.T) {
	e := newEnv(t)
	c := e.start()
	e.put("payment.dead-letters", deadEvent("a", "x"))
	id := e.waitLetters("open", 1)[0].ID
	e.stop(c)
	e.cluster.Brokers = []string{"127.0.0.1:1"}
	e.cluster.RequestTimeout = time.Second
	c = e.start()
	if all := e.letters("open"); len(all) != 1 || len(e.fingerprints()) != 1 {
		t.Errorf("%+v", all)
	}
	if _, err := c.Letter(e.admin(), id); !errors.Is(err, api.ErrUnavailable) {
		t.Error(err)
	}
	e.stop(c)
	if _, err := c.Letter(e.admin(), id); !errors.Is(err, api.ErrUnavailable) {
		t.Error(err)
	}
}
