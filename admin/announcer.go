package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// AnnouncerConfig says who is announced, and where. Kafka, and Name, Instance and
// URL of the Announcement are required.
type AnnouncerConfig struct {
	Kafka kafka.Config
	// Announcement is what is said; its time is filled in.
	Announcement Announcement
	// Interval between two; the constant of that name where zero.
	Interval time.Duration
	// Now is time.Now where nil.
	Now func() time.Time
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// Announcer tells consoles where a service's Handler is, from Start to Stop,
// which says goodbye. It is a lifecycle.Service. Without Kafka it starts too,
// and goes on trying.
type Announcer struct {
	cfg    AnnouncerConfig
	client *kgo.Client // nil where it does not run
	cancel context.CancelFunc
	done   chan struct{}

	topicKnown bool
	failure    string // the last one logged, "" where it works
}

var _ lifecycle.Service = (*Announcer)(nil)

// AnnouncementTopic is how Topic is made: small, its old records deleted, so that
// crashed instances do not stay for ever.
func AnnouncementTopic() kafka.Topic {
	return kafka.Topic{Name: Topic, Partitions: 1, Config: map[string]string{
		"cleanup.policy": "compact,delete", "retention.ms": "86400000", "segment.ms": "3600000", "segment.bytes": "16777216",
		"min.cleanable.dirty.ratio": "0.1",
	}}
}

// Key of the announcement's record.
func (a Announcement) Key() string { return a.Name + "/" + a.Instance }

// NewAnnouncer checks the configuration; it connects to nothing before Start.
func NewAnnouncer(c AnnouncerConfig) (*Announcer, error) {
	if err := c.Kafka.Validate(); err != nil {
		return nil, err
	}
	a := c.Announcement
	if a.Name == "" || a.Instance == "" {
		return nil, fmt.Errorf("%w: an announcement needs name and instance", ErrInvalid)
	}
	if _, err := NewClient(ClientConfig{URL: a.URL}); err != nil {
		return nil, err
	}
	if c.Interval < 0 {
		return nil, fmt.Errorf("%w: the interval %s is negative", ErrInvalid, c.Interval)
	}
	if c.Interval == 0 {
		c.Interval = Interval
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &Announcer{cfg: c}, nil
}

// Start announces the service from now on; it does not wait for Kafka.
func (a *Announcer) Start(context.Context) error {
	if a.client != nil {
		return errors.New("the announcer runs already")
	}
	client, err := kafka.NewClient(a.cfg.Kafka,
		// Each announcement makes the one before it worthless: none is kept for
		// longer than its turn, and a repeated one does no harm.
		kgo.DisableIdempotentWrite(), kgo.RecordDeliveryTimeout(max(a.cfg.Interval, time.Second)),
		kgo.MaxBufferedRecords(4), kgo.UnknownTopicRetries(1), kgo.MetadataMinAge(250*time.Millisecond), kgo.DisableClientMetrics())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.client, a.cancel, a.done = client, cancel, make(chan struct{})
	go a.run(ctx)
	return nil
}

// farewell bounds the goodbye: without it the service is gone after Expiry.
const farewell = 2 * time.Second

// Stop says goodbye, where Kafka takes it soon.
func (a *Announcer) Stop(ctx context.Context) error {
	if a.client == nil {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	a.cancel()
	select {
	case <-a.done:
		a.sayGoodbye(bounded)
	case <-bounded.Done():
	}
	a.client.Close() // ends an announcement under way
	<-a.done
	a.client = nil
	return ctx.Err()
}

// sayGoodbye is not tried where announcing did not work either.
func (a *Announcer) sayGoodbye(ctx context.Context) {
	if a.failure != "" {
		return
	}
	goodbye := a.cfg.Announcement
	goodbye.URL = ""
	if err := a.send(ctx, goodbye); err != nil {
		a.cfg.Logger.Debug("announcement: no goodbye", "error", err)
	}
}

// retryAfter is the wait after a failure, where the interval is not shorter.
const retryAfter = 2 * time.Second

func (a *Announcer) run(ctx context.Context) {
	defer close(a.done)
	for {
		wait := a.cfg.Interval
		bounded, cancel := context.WithTimeout(ctx, max(a.cfg.Interval, time.Second))
		err := a.announce(bounded)
		cancel()
		if ctx.Err() != nil {
			return
		}
		a.note(err)
		if err != nil {
			wait = min(wait, retryAfter)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (a *Announcer) announce(ctx context.Context) error {
	var missing error
	if !a.topicKnown {
		// Whoever may not make topics may still write to one.
		missing = kafka.EnsureTopics(ctx, a.client, a.cfg.Kafka, AnnouncementTopic())
		a.topicKnown = missing == nil
	}
	err := a.send(ctx, a.cfg.Announcement)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		a.topicKnown = false
		err = errors.Join(err, missing)
	}
	return err
}

func (a *Announcer) send(ctx context.Context, what Announcement) error {
	what.At = a.cfg.Now().UTC()
	value, err := json.Marshal(what)
	if err != nil {
		return err
	}
	record := &kgo.Record{Topic: a.cfg.Kafka.Topic(Topic), Key: []byte(what.Key()), Value: value}
	return a.client.ProduceSync(ctx, record).FirstErr()
}

// note logs what changed.
func (a *Announcer) note(err error) {
	switch {
	case err == nil && a.failure != "":
		a.failure = ""
		a.cfg.Logger.Info("announcement: consoles can see the service again", "url", a.cfg.Announcement.URL)
	case err != nil && a.failure == "":
		a.failure = err.Error()
		a.cfg.Logger.Warn("announcement: consoles cannot see the service; it goes on without", "error", err)
	}
}
