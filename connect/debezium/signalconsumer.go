package debezium

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/kafka"
)

const consumerPrefix = "signal.consumer."

// signalConsumer is the cluster of the topic of signals, and how it is read. A cluster that is named
// has the security that signal.consumer.* says, the worker's own has the worker's.
func signalConsumer(v config.Values, worker kafka.Config) (kafka.Config, []kgo.Opt, error) {
	cfg := worker
	given := consumerSettings(v)
	servers := v.String("signal.kafka.bootstrap.servers")
	if own, ok := given["bootstrap.servers"]; ok {
		servers = own
	}
	if brokers := addresses(servers); len(brokers) > 0 && !sameBrokers(brokers, worker.Brokers) {
		cfg = kafka.Config{Brokers: brokers, ClientID: worker.ClientID, RequestTimeout: worker.RequestTimeout, Logger: worker.Logger}
	}
	opts := []kgo.Opt{kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		read, known := consumerKeys[name]
		if !known {
			return cfg, nil, config.Problem{Key: consumerPrefix + name, Message: "this setting of the consumer is not supported; these are: " +
				strings.Join(slices.Sorted(maps.Keys(consumerKeys)), ", ")}
		}
		opt, err := read(&cfg, given[name])
		if err != nil {
			return cfg, nil, config.Problem{Key: consumerPrefix + name, Message: err.Error()}
		}
		if opt != nil {
			opts = append(opts, opt)
		}
	}
	return cfg, opts, nil
}

func consumerSettings(v config.Values) map[string]string {
	out := map[string]string{}
	for key, value := range v.All() {
		if name, ok := strings.CutPrefix(key, consumerPrefix); ok {
			out[name] = strings.TrimSpace(value)
		}
	}
	return out
}

func addresses(text string) (out []string) {
	for _, one := range strings.Split(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

func sameBrokers(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// consumerKeys are the settings of Kafka's consumer whose meaning is kept, and those that mean
// nothing here. They change the cluster or make an option.
var consumerKeys = map[string]func(*kafka.Config, string) (kgo.Opt, error){
	"bootstrap.servers": none, "group.id": none, "key.deserializer": none, "value.deserializer": none, "enable.auto.commit": none,
	"max.poll.records": none, "max.poll.interval.ms": none, "session.timeout.ms": none, "heartbeat.interval.ms": none,
	"fetch.min.bytes": none, "fetch.max.bytes": none, "max.partition.fetch.bytes": none, "fetch.max.wait.ms": none,
	"auto.offset.reset": func(_ *kafka.Config, text string) (kgo.Opt, error) {
		switch text {
		case "earliest":
			return kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), nil
		case "latest":
			return kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()), nil
		}
		return nil, errors.New("it is earliest or latest")
	},
	"isolation.level": func(_ *kafka.Config, text string) (kgo.Opt, error) {
		switch text {
		case "read_committed":
			return nil, nil
		case "read_uncommitted":
			return kgo.FetchIsolationLevel(kgo.ReadUncommitted()), nil
		}
		return nil, errors.New("it is read_committed or read_uncommitted")
	},
	"client.id": func(c *kafka.Config, text string) (kgo.Opt, error) {
		c.ClientID = text
		return nil, nil
	},
	"request.timeout.ms": func(c *kafka.Config, text string) (kgo.Opt, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n <= 0 {
			return nil, errors.New("it is a number of milliseconds")
		}
		c.RequestTimeout = time.Duration(n) * time.Millisecond
		return nil, nil
	},
	"security.protocol": func(c *kafka.Config, text string) (kgo.Opt, error) {
		switch strings.ToUpper(text) {
		case "PLAINTEXT", "SASL_PLAINTEXT":
			c.TLS = nil
		case "SSL", "SASL_SSL":
			if c.TLS == nil {
				c.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
			}
		default:
			return nil, errors.New("it is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")
		}
		return nil, nil
	},
	"sasl.mechanism": func(c *kafka.Config, text string) (kgo.Opt, error) {
		c.SASL.Mechanism = strings.ToUpper(text)
		return nil, nil
	},
	"sasl.jaas.config": func(c *kafka.Config, text string) (kgo.Opt, error) {
		user, password := jaasUser.FindStringSubmatch(text), jaasPassword.FindStringSubmatch(text)
		if user == nil || password == nil {
			return nil, errors.New(`it is a line such as org.apache.kafka.common.security.plain.PlainLoginModule required username="…" password="…";`)
		}
		c.SASL.User, c.SASL.Password = unquoted(user[1]), unquoted(password[1])
		if c.SASL.Mechanism == "" {
			c.SASL.Mechanism = "PLAIN"
		}
		return nil, nil
	},
}

func none(*kafka.Config, string) (kgo.Opt, error) { return nil, nil }

var (
	jaasUser     = regexp.MustCompile(`\busername="((?:[^"\\]|\\.)*)"`)
	jaasPassword = regexp.MustCompile(`\bpassword="((?:[^"\\]|\\.)*)"`)
	backslashed  = regexp.MustCompile(`\\(.)`)
)

func unquoted(text string) string { return backslashed.ReplaceAllString(text, "$1") }

// checkSignals finds what is wrong with the settings of signals.
func checkSignals(v config.Values) []config.Problem {
	if !slices.Contains(v.List("signal.enabled.channels"), KafkaChannel) {
		return nil
	}
	cfg, _, err := signalConsumer(v, kafka.Config{Brokers: []string{"worker:9092"}})
	var p config.Problem
	switch {
	case errors.As(err, &p):
		return []config.Problem{invalid(p.Key, p.Message)}
	case err != nil:
		return []config.Problem{invalid("signal.enabled.channels", err.Error())}
	}
	if err := cfg.Validate(); err != nil {
		return []config.Problem{invalid("signal.kafka.bootstrap.servers", fmt.Sprint(err))}
	}
	return nil
}
