package mongodb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/internal/mongouri"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"
)

// clientOptions are those of the connection string on top of the connector's.
func clientOptions(v config.Values) *options.ClientOptions {
	o := options.Client().SetAppName("pabal").
		SetConnectTimeout(v.Millis("mongodb.connect.timeout.ms")).
		SetHeartbeatInterval(v.Millis("mongodb.heartbeat.frequency.ms")).
		SetServerSelectionTimeout(v.Millis("mongodb.server.selection.timeout.ms"))
	if user := v.String("mongodb.user"); user != "" {
		o.SetAuth(options.Credential{Username: user, Password: v.String("mongodb.password"), PasswordSet: true, AuthSource: v.String("mongodb.authsource")})
	}
	if v.Bool("mongodb.ssl.enabled") {
		//nolint:gosec // what the option is for
		o.SetTLSConfig(&tls.Config{InsecureSkipVerify: v.Bool("mongodb.ssl.invalid.hostname.allowed"), MinVersion: tls.VersionTLS12})
	}
	return o.ApplyURI(mongouri.Complete(v.String("mongodb.connection.string")))
}

// connect does not wait for a server: the first request does.
func connect(v config.Values) (*mongo.Client, error) {
	client, err := mongo.Connect(clientOptions(v))
	if err != nil {
		return nil, fmt.Errorf("mongodb: mongodb.connection.string cannot be used: %s", hidden(err, v))
	}
	return client, nil
}

// hidden leaves out what the driver quotes of a connection string.
func hidden(err error, v config.Values) string {
	text := err.Error()
	for _, secret := range []string{v.String("mongodb.connection.string"), v.String("mongodb.password")} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return text
}

// Codes of the server's errors.
const (
	unauthorized      = 13
	historyLost       = 286
	invalidToken      = 260
	changeStreamFatal = 280
	bsonTooLarge      = 10334
	unrecognizedStage = 40324
	notAReplicaSet    = 40573
)

// passing are codes of what passes: elections, shutdowns, overload, cursors that time out.
var passing = []int{
	6, 7, 24, 43, 63, 64, 89, 91, 100, 112, 133, 134, 136, 175, 189, 202, 216, 234, 237, 246, 262, 290, 317, 346, 358, 365, 384, 391,
	9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436, 11601,
}

// failed names what was done when err came. The result wraps plugin.ErrRetry where it may pass.
func failed(ctx context.Context, what string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case mayPass(err):
		return fmt.Errorf("mongodb: %s: %w: %w", what, plugin.ErrRetry, err)
	}
	return fmt.Errorf("mongodb: %s: %w", what, err)
}

func mayPass(err error) bool {
	var labelled mongo.LabeledError
	if errors.As(err, &labelled) && slices.ContainsFunc([]string{"NetworkError", "ResumableChangeStreamError", "TransientTransactionError", "RetryableWriteError"}, labelled.HasErrorLabel) {
		return true
	}
	var selection topology.ServerSelectionError
	return mongo.IsNetworkError(err) || mongo.IsTimeout(err) || errors.As(err, &selection) || hasCode(err, passing...)
}

func hasCode(err error, codes ...int) bool {
	var server mongo.ServerError
	if !errors.As(err, &server) {
		return false
	}
	return slices.ContainsFunc(codes, server.HasErrorCode)
}
