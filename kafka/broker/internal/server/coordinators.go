package server

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/acl"
	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/group"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/pabal-dev/pabal/kafka/broker/internal/producer"
	"github.com/pabal-dev/pabal/kafka/broker/internal/sasl"
	"github.com/pabal-dev/pabal/kafka/broker/internal/txn"
	"github.com/twmb/franz-go/pkg/kerr"
)

// startSecurity reads rules and credentials, and sets the passwords that were given.
func (s *Server) startSecurity() error {
	l := s.node.KeyLog(node.Security)
	s.rules = acl.New(acl.Config{Log: l, SuperUsers: s.config.SuperUsers})
	s.users = sasl.NewUsers(l, s.node.Secret())
	err := s.node.Replay(node.Security, func(r keylog.Record) error { return keylog.ReadSecurity(r, security{s}) })
	if err != nil {
		return fmt.Errorf("access rules and credentials: %w", err)
	}
	if !s.config.ACLs {
		s.rules = nil
	}
	return s.setPasswords()
}

type security struct{ *Server }

func (s security) ACL(rule keylog.ACL, there bool) { s.rules.Replay(rule, there) }

func (s security) SCRAM(key keylog.SCRAMKey, value *keylog.SCRAMValue) { s.users.Replay(key, value) }

func (s *Server) setPasswords() error {
	if len(s.config.Passwords) == 0 {
		s.users = nil
		return nil
	}
	results := make(chan error, len(s.config.Passwords))
	for user, password := range s.config.Passwords {
		s.users.SetPassword(user, password, func(err error) {
			if err != nil {
				err = fmt.Errorf("set the password of %s: %w", user, err)
			}
			results <- err
		})
	}
	var all error
	for range s.config.Passwords {
		all = errors.Join(all, <-results)
	}
	return all
}

func (s *Server) startGroups() error {
	s.groups = group.New(group.Config{
		Log: s.node.KeyLog(node.Offsets), Now: s.config.Now, Wake: s.timers.wake, Logger: s.config.Logger,
		MinSessionTimeout:     s.settings.minSession,
		MaxSessionTimeout:     s.settings.maxSession,
		InitialRebalanceDelay: s.settings.rebalanceDelay,
		MaxGroupSize:          s.settings.groupSize,
		MaxMetadataBytes:      s.settings.metadataBytes,
		OffsetsRetention:      s.settings.offsetsRetention,
		PartitionExists:       func(topic string, partition int32) bool { return s.partition(topic, partition) != nil },
		VerifyTxn: func(id string, producerID int64, epoch int16, g string) *kerr.Error {
			return s.txns.VerifyGroup(id, producerID, epoch, g)
		},
	})
	if err := s.node.Replay(node.Offsets, s.groups.Replay); err != nil {
		return fmt.Errorf("groups: %w", err)
	}
	s.groups.Start()
	return nil
}

// txnEndWait is longer than Apache Kafka's 100 ms: clients that are told to try again may
// do so seconds later, and a slow disk takes that long.
const txnEndWait = time.Second

func (s *Server) startTxns() error {
	s.txns = txn.New(txn.Config{
		Log: s.node.KeyLog(node.Txns), Markers: markers{s}, Now: s.config.Now, Wake: s.timers.wake, Logger: s.config.Logger,
		MaxTimeout:   s.settings.txnTimeout,
		IDExpiration: s.settings.txnExpiration,
		EndWait:      txnEndWait,
	})
	if err := s.node.Replay(node.Txns, s.txns.Replay); err != nil {
		return fmt.Errorf("transactions: %w", err)
	}
	s.txns.Start()
	return nil
}

// partition returns a partition of a topic that clients see, or nil.
func (s *Server) partition(topic string, index int32) *node.Partition {
	if t := s.topic(topic); t != nil {
		return t.Partition(index)
	}
	return nil
}

// topic returns a topic that clients see, or nil.
func (s *Server) topic(name string) *node.Topic {
	if t := s.node.Topic(name); t != nil && shown(t) {
		return t
	}
	return nil
}

// topicByID returns a topic that clients see, or nil.
func (s *Server) topicByID(id [16]byte) *node.Topic {
	if t := s.node.TopicByID(id); t != nil && shown(t) {
		return t
	}
	return nil
}

// shown says whether clients see a topic. As with Kafka, the coordinators' are there as
// soon as there is something in them.
func shown(t *node.Topic) bool {
	return t.Name != node.Security && (!t.Internal || t.Partitions()[0].Log().Offsets().HighWatermark > 0)
}

// markers writes the ends of transactions to where they belong.
type markers struct{ *Server }

// WriteMarker implements txn.Markers.
func (m markers) WriteMarker(target txn.Target, marker txn.Marker, done func(error)) {
	if target.Offsets {
		m.groups.EndTxn(group.Marker{
			ProducerID: marker.ProducerID, Epoch: marker.Epoch, Bumped: marker.Bumped, Commit: marker.Commit,
		}, done)
		return
	}
	p := m.partition(target.Partition.Topic, target.Partition.Index)
	if p == nil {
		done(nil) // deleted, and what the transaction wrote with it
		return
	}
	p.AppendMarker(batch.Marker{Commit: marker.Commit, ProducerID: marker.ProducerID, ProducerEpoch: marker.Epoch}, func(_ log.Appended, err error) {
		if errors.Is(err, node.ErrGone) || errors.Is(err, producer.ErrInvalidEpoch) {
			err = nil // gone, or ended by a later marker
		}
		done(err)
	})
}

// once is a set of callbacks of which the last one ends something.
type once struct {
	mu   sync.Mutex
	left int
	done func()
}

// waitFor calls done after n calls of the function that it returns; at once where n is 0.
func waitFor(n int, done func()) func() {
	if n == 0 {
		done()
		return func() {}
	}
	o := &once{left: n, done: done}
	return func() {
		o.mu.Lock()
		o.left--
		last := o.left == 0
		o.mu.Unlock()
		if last {
			o.done()
		}
	}
}
