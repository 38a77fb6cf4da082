// Package cluster shows Kafka to people: topics, messages, consumer groups; and
// does what they ask for: create, produce, reset. It implements api.Topics and
// api.Groups.
//
// It reads without a consumer group and creates no topic by looking. It asks for
// what a page shows and no more, so that thousands of topics and groups cost a
// page what ten do.
package cluster

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/console/record"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Config of a Cluster; the zero value works.
type Config struct {
	// Services tell which groups are consumers of services; nil: none is.
	Services api.Services
	// Mask hides parts of messages by role; nil hides nothing.
	Mask *mask.Rules
	// Schemas decode keys and values that were written with one; nil shows them as bytes.
	Schemas record.Schemas
	// Timeout bounds an answer of Kafka, also of one that hangs; 3 s by default.
	Timeout time.Duration
	// ScanTime and ScanBytes bound a search through messages; 5 s and 64 MiB by
	// default. A search that is stopped says so and can be gone on with.
	ScanTime  time.Duration
	ScanBytes int
	// Logger; slog.Default() where nil.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Timeout <= 0 {
		c.Timeout = 3 * time.Second
	}
	if c.ScanTime <= 0 {
		c.ScanTime = 5 * time.Second
	}
	if c.ScanBytes <= 0 {
		c.ScanBytes = 64 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// How long answers are shown again.
const (
	clusterAge  = time.Second
	topicsAge   = 3 * time.Second
	groupsAge   = 2 * time.Second
	servicesAge = 2 * time.Second
)

// Cluster is one Kafka cluster. It is safe for concurrent use.
type Cluster struct {
	kafka  kafka.Config
	config Config
	client *kgo.Client
	admin  *kadm.Client

	description cached[api.Cluster]
	topics      cached[*metadata]
	groups      cached[*groupNames]
	services    consumers
	tails       chan struct{} // a place for each that is open
}

var (
	_ api.Topics = (*Cluster)(nil)
	_ api.Groups = (*Cluster)(nil)
)

// New returns a Cluster; it connects with the first question. Its error is about
// the configuration. Stop it.
func New(k kafka.Config, c Config) (*Cluster, error) {
	c = c.withDefaults()
	k.RequestTimeout = c.Timeout
	k.Logger = c.Logger
	client, err := kafka.NewClient(k,
		kgo.RequestRetries(2), kgo.RetryTimeout(c.Timeout), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	return &Cluster{
		kafka: k, config: c, client: client, admin: kadm.NewClient(client),
		description: cached[api.Cluster]{age: clusterAge},
		topics:      cached[*metadata]{age: topicsAge},
		groups:      cached[*groupNames]{age: groupsAge},
		services:    newConsumers(c),
		tails:       make(chan struct{}, maxTails),
	}, nil
}

// Start does nothing: a Cluster connects when it is asked. It is there for
// lifecycle.Service.
func (c *Cluster) Start(context.Context) error { return nil }

// Stop closes the connections; questions under way fail.
func (c *Cluster) Stop(context.Context) error {
	c.client.Close()
	return nil
}

// Cluster describes Kafka as it answered at most a second ago.
func (c *Cluster) Cluster(ctx context.Context) (api.Cluster, error) {
	out, err := c.description.get(ctx, c.config.Timeout, func(ctx context.Context) (api.Cluster, error) {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{}
		resp, err := req.RequestWith(ctx, c.client)
		if err != nil {
			return api.Cluster{}, c.explain("describe the cluster", err)
		}
		return describe(resp), nil
	})
	out.Seeds = c.kafka.Brokers
	if err != nil {
		out.Controller, out.Brokers = -1, []api.Broker{}
		out.Problem = strings.TrimPrefix(err.Error(), api.ErrUnavailable.Error()+": ")
	}
	return out, ctx.Err()
}

func describe(resp *kmsg.MetadataResponse) api.Cluster {
	out := api.Cluster{Controller: resp.ControllerID, Brokers: make([]api.Broker, len(resp.Brokers))}
	if resp.ClusterID != nil {
		out.ID = *resp.ClusterID
	}
	for i, b := range resp.Brokers {
		out.Brokers[i] = api.Broker{ID: b.NodeID, Host: b.Host, Port: b.Port}
		if b.Rack != nil {
			out.Brokers[i].Rack = *b.Rack
		}
	}
	return out
}

// within bounds a question to Kafka.
func (c *Cluster) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.config.Timeout)
}
