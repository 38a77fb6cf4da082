package connect

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pabal-dev/pabal/kafka"
)

// creator makes the topics that a source writes to, by the rules topic.creation.*: the first
// group that a topic's name matches, else the default.
type creator struct {
	cfg    kafka.Config
	client *kgo.Client
	rules  []creationRule
	known  map[string]bool
}

type creationRule struct {
	include, exclude []*regexp.Regexp
	partitions       int32
	replication      int16
	config           map[string]string
}

const creationPrefix = "topic.creation."

func newCreator(cfg kafka.Config, client *kgo.Client, given map[string]string) (*creator, error) {
	c := &creator{cfg: cfg, client: client, known: map[string]bool{}}
	var groups []string
	if text := strings.TrimSpace(given[creationPrefix+"groups"]); text != "" {
		groups = strings.Split(text, ",")
	}
	for _, group := range append(groups, "default") {
		rule, err := newRule(strings.TrimSpace(group), given)
		if err != nil {
			return nil, err
		}
		c.rules = append(c.rules, rule)
	}
	return c, nil
}

func newRule(group string, given map[string]string) (creationRule, error) {
	r := creationRule{config: map[string]string{}}
	var err error
	for key, value := range settings(given, creationPrefix+group+".") {
		name := creationPrefix + group + "." + key
		switch key {
		case "include":
			r.include, err = wholeNames(value)
		case "exclude":
			r.exclude, err = wholeNames(value)
		case "partitions":
			var n int64
			n, err = strconv.ParseInt(value, 10, 32)
			r.partitions = int32(n)
		case "replication.factor":
			var n int64
			n, err = strconv.ParseInt(value, 10, 16)
			r.replication = int16(n)
		default:
			r.config[key] = value
		}
		if err != nil {
			return r, fmt.Errorf("%w: %s=%q: %w", ErrInvalid, name, value, err)
		}
	}
	if group == "default" {
		r.include, r.exclude = nil, nil
	}
	return r, nil
}

func wholeNames(list string) ([]*regexp.Regexp, error) {
	var out []*regexp.Regexp
	for text := range strings.SplitSeq(list, ",") {
		re, err := regexp.Compile("^(?:" + strings.TrimSpace(text) + ")$")
		if err != nil {
			return nil, err
		}
		out = append(out, re)
	}
	return out, nil
}

func (r creationRule) applies(topic string) bool {
	matches := func(all []*regexp.Regexp) bool {
		for _, re := range all {
			if re.MatchString(topic) {
				return true
			}
		}
		return false
	}
	return (r.include == nil || matches(r.include)) && !matches(r.exclude)
}

// ensure that a topic exists; first says that it was not asked for before.
func (c *creator) ensure(ctx context.Context, topic string) (first bool, err error) {
	if c.known[topic] {
		return false, nil
	}
	there, err := c.exists(ctx, topic)
	if err != nil {
		return false, err
	}
	if !there {
		if err := c.create(ctx, topic); err != nil {
			return false, err
		}
	}
	c.known[topic] = true
	return true, nil
}

func (c *creator) exists(ctx context.Context, topic string) (bool, error) {
	req := kmsg.NewPtrMetadataRequest()
	one := kmsg.NewMetadataRequestTopic()
	one.Topic = kmsg.StringPtr(topic)
	req.Topics = append(req.Topics, one)
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return false, retriable{fmt.Errorf("look for topic %s: %w", topic, err)}
	}
	for _, t := range resp.Topics {
		switch err := kerr.ErrorForCode(t.ErrorCode); err {
		case nil, kerr.LeaderNotAvailable:
			return true, nil
		case kerr.UnknownTopicOrPartition:
			return false, nil
		default:
			return false, fmt.Errorf("look for topic %s: %w", topic, err)
		}
	}
	return false, nil
}

// createTimeout bounds the wait for a topic made just now.
const createTimeout = 30 * time.Second

func (c *creator) create(ctx context.Context, topic string) error {
	local := c.cfg.Local(topic)
	for _, r := range c.rules {
		if !r.applies(local) {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, createTimeout)
		defer cancel()
		partitions, replication := r.partitions, r.replication
		if partitions == 0 {
			partitions = -1
		}
		err := kafka.EnsureTopics(ctx, c.client, c.cfg, kafka.Topic{Name: local, Partitions: partitions, Replication: replication, Config: r.config})
		if err == nil {
			return nil
		}
		return creationError(err)
	}
	return nil
}

// creationError passes by itself, unless Kafka refuses such a topic.
func creationError(err error) error {
	for _, e := range []error{kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.InvalidTopicException, kerr.PolicyViolation,
		kerr.InvalidReplicationFactor, kerr.InvalidPartitions, kerr.InvalidConfig} {
		if errors.Is(err, e) {
			return fatalError{err}
		}
	}
	return retriable{err}
}
