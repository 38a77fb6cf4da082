package registry

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

// Config says which registry is asked.
type Config struct {
	// URL of its REST API, such as http://127.0.0.1:8081; "" for none.
	URL string
	// HTTP asks it, with credentials where it wants some; one with a bound on time where nil.
	HTTP *http.Client
	// Prefix of the tenant's topics, which subjects may be named without.
	Prefix string
	// Logger is slog.Default() where nil.
	Logger *slog.Logger

	limits limits
}

// Bounds of what is decoded.
const (
	// maxValue is how long a key or value may be, in bytes.
	maxValue = 512 << 10
	// maxKnown is how many schemas are held ready.
	maxKnown = 1000
	// placesFor is how long the subjects of a schema are not asked for again.
	placesFor = 30 * time.Second
	// maxMissed ids within limits.missed are asked for: bytes of other serializers look like many ids.
	maxMissed = 50
)

// limits are the times that a slow machine needs longer for; defaults where zero.
type limits struct {
	// ask bounds a question.
	ask time.Duration
	// away is how long a registry is not asked that does not answer.
	away time.Duration
	// missed is the time in which only maxMissed unknown ids are asked for.
	missed time.Duration
	// use is how long topics are looked at for a subject.
	use time.Duration
}

func (l limits) withDefaults() limits {
	return limits{
		ask: cmp.Or(l.ask, 4*time.Second), away: cmp.Or(l.away, 2*time.Second),
		missed: cmp.Or(l.missed, 5*time.Second), use: cmp.Or(l.use, 2500*time.Millisecond),
	}
}

// Decoder makes JSON of keys and values in the wire format of Confluent's serializers. It is safe
// for concurrent use.
type Decoder struct {
	rest   rest
	prefix string
	limits limits
	// What reads; nil where there is no registry.
	ids  *client.Client
	avro *codec.Resolver
	json *codec.Codec[json.RawMessage]

	mu      sync.Mutex
	known   map[int]*known
	away    error // why the registry was not there
	awayTil time.Time
	missed  int
	since   time.Time // of missed
}

// known is a schema that is ready to read with, or why it is not.
type known struct {
	kind   string
	read   func(context.Context, []byte) (string, error)
	places []place
	asked  time.Time // for places
}

// place is a version of a subject.
type place struct {
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// NewDecoder asks nothing yet. Its error is ErrConfig.
func NewDecoder(c Config) (*Decoder, error) {
	c.limits = c.limits.withDefaults()
	d := &Decoder{prefix: c.Prefix, limits: c.limits, known: map[int]*known{}}
	if c.URL == "" {
		return d, nil
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%w: it is not the address of a schema registry, such as http://127.0.0.1:8081, without user and password", ErrConfig)
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: c.limits.ask}
	}
	d.ids, err = client.New(client.Config{URLs: []string{c.URL}, HTTP: c.HTTP, Timeout: c.limits.ask, RetryFor: -1, MaxSchemas: maxKnown, Logger: c.Logger})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	d.rest = newRest(c)
	d.avro = codec.NewResolver(d.ids, maxKnown)
	d.json, err = codec.JSON[json.RawMessage](codec.Config{Registry: d.ids, MaxSchemas: maxKnown})
	return d, err
}

// Decode implements record.Schemas. Why something was not decoded is in the schema's Problem.
func (d *Decoder) Decode(ctx context.Context, topic string, key bool, b []byte, into *api.Data) {
	id, rest, err := codec.ID(b)
	if err != nil || id == 0 {
		return // of another serializer: ids begin with 1
	}
	into.Schema = &api.DataSchema{ID: int64(id)}
	if d.ids == nil {
		into.Schema.Problem = "It begins as values with a schema do, and " + none
		return
	}
	k, err := d.schema(ctx, id)
	if err != nil {
		into.Schema.Problem = why(id, err)
		return
	}
	into.Schema.Type = k.kind
	into.Schema.Subject, into.Schema.Version = placeFor(k.places, key, topic, strings.TrimPrefix(topic, d.prefix))
	if len(b) > maxValue {
		into.Schema.Problem = fmt.Sprintf("It has %d bytes, and more than %d are not decoded.", len(b), maxValue)
		return
	}
	text, err := k.read(ctx, b)
	if err != nil {
		into.Schema.Problem = "It is not what its schema says: " + err.Error()
	}
	if text == "" && err != nil && k.kind == client.JSON && json.Valid(rest) {
		text = string(rest)
	}
	if text != "" {
		into.Format, into.Text, into.Base64 = "json", text, nil
	}
}

// why there is no schema, for people.
func why(id int, err error) string {
	switch {
	case errors.Is(err, client.ErrNotFound):
		return fmt.Sprintf("The registry has no schema with the id %d: it was deleted for ever, or is of another registry, or these are bytes of another serializer.", id)
	case errors.Is(err, client.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Sprintf("The schema with the id %d could not be asked for: %v", id, err)
	}
	return fmt.Sprintf("The schema with the id %d cannot be used here: %v", id, err)
}

// schema of an id, asked for where it is not known.
func (d *Decoder) schema(ctx context.Context, id int) (*known, error) {
	d.mu.Lock()
	k, away := d.known[id], d.away
	if time.Now().After(d.awayTil) {
		away = nil
	}
	many := d.missed >= maxMissed && time.Since(d.since) < d.limits.missed
	d.mu.Unlock()
	switch {
	case k != nil && (away != nil || time.Since(k.asked) < placesFor):
		return k, nil
	case away != nil:
		return nil, away
	case k == nil && many:
		return nil, fmt.Errorf("%w: more than %d ids were not found a moment ago, and no more are asked for now", client.ErrUnavailable, maxMissed)
	}
	fresh, err := d.ask(ctx, id, k)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err == nil:
		d.keep(id, fresh)
		return fresh, nil
	case errors.Is(err, client.ErrUnavailable) && ctx.Err() == nil: // else it was not waited for
		d.away, d.awayTil = err, time.Now().Add(d.limits.away)
	case errors.Is(err, client.ErrNotFound):
		d.miss()
	}
	if k != nil {
		return k, nil
	}
	return nil, err
}

// ask for the schema, where it is not known, and for who has it.
func (d *Decoder) ask(ctx context.Context, id int, old *known) (*known, error) {
	k := known{asked: time.Now()}
	if old != nil {
		k.kind, k.read = old.kind, old.read
	} else {
		s, err := d.ids.ByID(ctx, id)
		if err != nil {
			return nil, err
		}
		if k.kind = s.Type; k.kind == "" {
			k.kind = client.Avro
		}
		if k.read, err = d.reader(ctx, id, k.kind); err != nil {
			return nil, err
		}
	}
	err := d.rest.get(ctx, fmt.Sprintf("/schemas/ids/%d/versions?deleted=true", id), &k.places)
	if err != nil && errors.Is(err, api.ErrUnavailable) && old != nil {
		return nil, fmt.Errorf("%w: %w", client.ErrUnavailable, err)
	}
	return &k, nil // that nobody has it any more is no reason not to read with it
}

func (d *Decoder) reader(ctx context.Context, id int, kind string) (func(context.Context, []byte) (string, error), error) {
	switch kind {
	case client.Avro:
		s, err := d.avro.Avro(ctx, id)
		if err != nil {
			return nil, err
		}
		w := newWriter(s)
		return func(_ context.Context, b []byte) (string, error) { return w.text(b) }, nil
	case client.JSON:
		return func(ctx context.Context, b []byte) (string, error) {
			v, err := d.json.Decode(ctx, b)
			return string(v), err
		}, nil
	}
	return nil, fmt.Errorf("it is %s, and AVRO and JSON are decoded", kind)
}

func (d *Decoder) keep(id int, k *known) {
	for other := range d.known {
		if len(d.known) < maxKnown {
			break
		}
		delete(d.known, other)
	}
	d.known[id] = k
}

func (d *Decoder) miss() {
	if time.Since(d.since) >= d.limits.missed {
		d.missed, d.since = 0, time.Now()
	}
	d.missed++
}

// placeFor a topic, whose name may be written in several ways, is its own subject, or the first one.
func placeFor(all []place, key bool, topics ...string) (string, int) {
	for _, topic := range topics {
		own, _ := codec.TopicName(topic, key, "")
		if i := slices.IndexFunc(all, func(p place) bool { return p.Subject == own }); i >= 0 {
			return all[i].Subject, all[i].Version
		}
	}
	if len(all) == 0 {
		return "", 0
	}
	return all[0].Subject, all[0].Version
}
