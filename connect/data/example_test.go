package data_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/connect/data"
)

// A row of a table, with a number whose digits are exact.
func ExampleStruct() {
	orders := data.StructOf("shop.orders.Value",
		data.Field{Name: "id", Schema: data.Of(data.Int32)},
		data.Field{Name: "price", Schema: data.DecimalSchema(2)})
	price, err := data.ParseDecimal("12.50")
	if err != nil {
		panic(err)
	}
	row := data.NewStruct(orders)
	row.Values[0], row.Values[1] = int32(7), price
	fmt.Println(row.Get("price"), data.Validate(orders, row))
	fmt.Println(data.Validate(orders, data.NewStruct(orders)))
	// Output:
	// 12.50 <nil>
	// field id: data does not fit its schema: nil for int32, which is required and has no default
}
