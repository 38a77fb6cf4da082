package mongodb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/internal/mongouri"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
)

// Class is the name that configurations give in connector.class.
const Class = "io.debezium.connector.mongodb.MongoDbConnector"

// Source is Debezium's connector for MongoDB.
type Source struct{}

var _ plugin.Source = Source{}

var definition = config.Definition{Patterns: append(debezium.CommonPatterns(), filterOverrides+".*")}.
	With(debezium.CommonKeys()...).
	With(refusedKeys...).With(connectionKeys...).With(captureKeys...).With(snapshotKeys...).With(cursorKeys...).
	With(config.Key{
		Name: "topic.naming.strategy", Type: config.Class, Default: debezium.DefaultStrategy,
		Doc: "Which parts of a collection's name are in that of its topic, and what becomes of characters that topics may not have.",
	})

// Info implements plugin.Connector.
func (Source) Info() plugin.Info {
	return plugin.Info{Class: Class, Version: debezium.Version, Config: definition}
}

// Check implements plugin.Connector: it connects, too.
func (Source) Check(ctx context.Context, v config.Values, wrong []config.Problem) []config.Problem {
	_, problems := newSettings(v)
	problems = append(problems, debezium.CheckCommon(v)...)
	problems = slices.DeleteFunc(problems, func(p config.Problem) bool {
		return slices.ContainsFunc(wrong, func(w config.Problem) bool { return w.Key == p.Key })
	})
	for _, old := range []string{"mongodb.connection.string.shard.params", "mongodb.connection.mode"} {
		if value, ok := v.Raw(old); ok && (old != "mongodb.connection.mode" || value == "replica_set") {
			problems = append(problems, config.Problem{Key: "mongodb.connection.string", Message: "Deprecated field '" + old + "' is used"})
		}
	}
	if slices.ContainsFunc(wrong, func(w config.Problem) bool { return strings.HasPrefix(w.Key, "mongodb.") }) {
		return problems
	}
	if err := checkConnection(ctx, v); err != nil {
		problems = append(problems, config.Problem{Key: "mongodb.connection.string", Message: "Unable to connect: " + err.Error()})
	}
	return problems
}

// checkTimeout bounds a check where the configuration allows for more.
const checkTimeout = 20 * time.Second

func checkConnection(ctx context.Context, v config.Values) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	client, err := connect(v)
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }()
	var hello struct {
		SetName string `bson:"setName"`
		Msg     string `bson:"msg"`
	}
	if err = client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return errors.New(hidden(err, v))
	}
	if hello.SetName == "" && hello.Msg != "isdbgrid" {
		return errors.New("the server is no member of a replica set, and only those have change streams; start it with --replSet and run rs.initiate()")
	}
	_, err = client.ListDatabaseNames(ctx, bson.D{})
	switch {
	case hasCode(err, unauthorized):
		return errors.New("User doesn't have sufficient privileges: " + hidden(err, v)) //nolint:staticcheck // Debezium's own words
	case err != nil:
		return errors.New(hidden(err, v))
	}
	return nil
}

// Tasks implements plugin.Connector: there is one.
func (Source) Tasks(v config.Values, _ int) ([]map[string]string, error) {
	return []map[string]string{v.All()}, nil
}

// Open implements plugin.Source.
func (Source) Open(ctx context.Context, c plugin.SourceContext) (plugin.SourceTask, error) {
	s, problems := newSettings(c.Config)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%w: %w", config.ErrConfig, problems[0])
	}
	at, err := storedPosition(ctx, s, c)
	if err != nil {
		return nil, err
	}
	client, err := connect(c.Config)
	if err != nil {
		return nil, err
	}
	return newTask(s, client, c, at), nil
}

// storedPosition also looks where old versions of Debezium stored theirs, by replica set.
func storedPosition(ctx context.Context, s *settings, c plugin.SourceContext) (*position, error) {
	prefix, replicaSet := s.Naming.Prefix, clusterRSName
	if parsed, err := connstring.Parse(mongouri.Complete(c.Config.String("mongodb.connection.string"))); err == nil && parsed.ReplicaSet != "" {
		replicaSet = parsed.ReplicaSet
	}
	for _, partition := range []map[string]any{{partitionKey: prefix}, {partitionKey: prefix, replicaSetKey: replicaSet}} {
		offset, err := c.Offset(ctx, partition)
		if err != nil {
			return nil, err
		}
		if offset == nil {
			continue
		}
		at, err := readPosition(prefix, offset)
		if err != nil {
			return nil, fmt.Errorf("mongodb: the offset of %v: %w; reset it to begin anew", partition, err)
		}
		return at, nil
	}
	return nil, nil
}

// CheckOffset implements plugin.Source.
func (Source) CheckOffset(partition, offset map[string]any) error {
	server, ok := partition[partitionKey].(string)
	if !ok || server == "" {
		return fmt.Errorf("the partition must have %s, the topic.prefix", partitionKey)
	}
	for key := range maps.Keys(partition) {
		if key != partitionKey && key != replicaSetKey {
			return fmt.Errorf("the partition has %s, expected is %s only", key, partitionKey)
		}
	}
	if offset == nil {
		return nil
	}
	_, err := readPosition(server, offset)
	return err
}
