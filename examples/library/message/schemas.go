package message

import (
	"embed"

	"github.com/pabal-dev/pabal/examples/service"
)

//go:embed *.avsc
var texts embed.FS

// Schemas are the Avro schemas of all topics.
func Schemas() map[string]service.Schema {
	return map[string]service.Schema{
		RentalRent:   service.SchemaFile[ItemRented](texts, RentalRent),
		RentalReturn: service.SchemaFile[ItemReturned](texts, RentalReturn),
		OverdueClear: service.SchemaFile[OverdueCleared](texts, OverdueClear),
		RentalResult: service.SchemaFile[EventResult](texts, RentalResult),
		PointUse:     service.SchemaFile[PointUseCommand](texts, PointUse),
		RentCancel:   service.SchemaFile[CancelCommand](texts, RentCancel),
		ReturnCancel: service.SchemaFile[CancelCommand](texts, ReturnCancel),
	}
}
