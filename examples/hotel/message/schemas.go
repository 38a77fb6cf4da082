package message

import (
	"embed"
	"time"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/examples/service"
)

//go:embed *.avsc
var texts embed.FS

// Schemas are the Avro schemas of all topics.
func Schemas() map[string]service.Schema {
	return map[string]service.Schema{
		RoomReserve:       service.SchemaFile[ReservationMessage](texts, RoomReserve, days),
		RoomCancel:        service.SchemaFile[ReservationMessage](texts, RoomCancel, days),
		TransactionResult: service.SchemaFile[ReservationMessageResponse](texts, TransactionResult),
	}
}

// days converts a Date, which in Avro is the number of days since 1970.
var days = avro.NewCustomType("date",
	func(d Date, _ *avro.SchemaNode) (int32, error) { return int32(d.at.Unix() / secondsOfDay), nil },
	func(n int32, _ *avro.SchemaNode) (Date, error) {
		return Date{time.Unix(int64(n)*secondsOfDay, 0).UTC()}, nil
	})

const secondsOfDay = 24 * 60 * 60
