// Package debezium has the transforms that come with Debezium, and one that follows its routers.
package debezium

import (
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/outbox"
)

// Plugins are the transforms.
func Plugins() []plugin.TransformPlugin {
	return []plugin.TransformPlugin{
		one("io.debezium.transforms.ByLogicalTableRouter", byLogicalTableConfig, newLogicalTopic),
		one("io.debezium.transforms.ContentBasedRouter", contentConfig, newContentRouter),
		one("io.debezium.transforms.ExtractNewRecordState", newRecordConfig, newNewRecordState),
		one("io.debezium.connector.mongodb.transforms.ExtractNewDocumentState", newDocumentConfig, newNewDocumentState),
		without(one("io.debezium.transforms.Filter", filterConfig, newFilter)),
		one("io.debezium.transforms.HeaderToValue", headerToValueConfig, newHeaderToValue),
		one("io.debezium.transforms.TimezoneConverter", timezoneConfig, newTimezone),
		one("io.debezium.transforms.ToLogicalTopicRouter", toLogicalTopicConfig, newLogicalTopic),
		one("io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent", outbox.Message, outbox.NewMessage),
		one("io.debezium.transforms.outbox.EventRouter", outbox.Table, outbox.NewTable),
		one("io.debezium.connector.mongodb.transforms.outbox.MongoEventRouter", outbox.Collection, outbox.NewCollection),
		one("dev.pabal.connect.transforms.OutboxEvent", outbox.Event, outbox.NewEvent),
	}
}

func one(class string, d config.Definition, make func(config.Values) (plugin.Transform, error)) plugin.TransformPlugin {
	alias := class[strings.LastIndex(class, ".")+1:]
	return plugin.TransformPlugin{Info: plugin.Info{Class: class, Aliases: []string{alias}, Version: debezium.Version, Config: d}, New: make}
}

// without the alias, which is that of Kafka Connect's own Filter.
func without(p plugin.TransformPlugin) plugin.TransformPlugin {
	p.Aliases = nil
	return p
}
