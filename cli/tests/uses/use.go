// Real calls through what `palitra bindgen` wrote.
package main

import (
	"context"
	"fmt"
	"os"
	"reflect"

	palitra "palitra.example/bindings/go"
	jobs "used/palitratestjobs"
)

func check(ok bool, what ...any) {
	if !ok {
		fmt.Fprintln(os.Stderr, what...)
		os.Exit(1)
	}
}

func main() {
	ctx := context.Background()
	r, err := palitra.New()
	check(err == nil, err)
	defer r.Close()

	discount := uint8(10)
	order := jobs.Order{
		Id: 7, Customer: jobs.Customer{Name: "Ada"}, Priority: jobs.PrioritySameDay, Discount: &discount,
		Lines:    []jobs.Line{{Article: "pen", Count: 2, Price: 150}, {Article: "ink", Count: 1, Price: 700}},
		Shipping: jobs.Shipping{Parcel: &jobs.ShippingParcel{Weight: 0.2}},
	}
	receipt, err := jobs.TypedPrice.Run(ctx, r, order)
	check(err == nil && receipt.Total == 900 && receipt.Shipping.Parcel.Weight == 0.2, receipt, err)
	check(len(receipt.Repeated) == 1 && receipt.Priority == jobs.PrioritySameDay, receipt)
	order.Lines = []jobs.Line{}
	_, err = jobs.TypedPrice.Run(ctx, r, order)
	code, failed := jobs.OrderErrorOf(err)
	check(failed && code == jobs.OrderErrorNoLines, err)

	sum := uint32(0)
	for tick, err := range jobs.TypedCount.Stream(ctx, r, jobs.Count{To: 3}) {
		check(err == nil, err)
		sum += tick.N
	}
	check(sum == 6, sum)
	text := ""
	for line, err := range jobs.TypedLines(ctx, r, "a\nb") {
		check(err == nil, err)
		text += line
	}
	check(text == "ab", text)

	said := "x"
	events := []jobs.Event{{Started: &struct{}{}}, {Moved: &jobs.EventMoved{X: 1, Y: -2}}, {Said: &said}}
	turned, err := jobs.TypedEvents.Run(ctx, r, events)
	check(err == nil && *turned[0].Said == "x" && turned[1].Moved.Y == -2 && turned[2].Started != nil, turned, err)
	tree, err := jobs.TypedDouble.Run(ctx, r, jobs.Tree{Value: 1, Children: []jobs.Tree{{Value: 2}}})
	check(err == nil && tree.Children[0].Value == 4, tree, err)
	last, err := jobs.TypedLast.Run(ctx, r, jobs.Stop{Name: "first", Next: &jobs.Stop{Name: "last"}})
	check(err == nil && last.Name == "last", last, err)
	one := jobs.Term{Number: &jobs.TermNumber{Value: 1.5}}
	both := jobs.Term{Sum: &jobs.TermSum{Left: one, Right: jobs.Term{All: &jobs.TermAll{Terms: []jobs.Term{one}}}}}
	value, err := jobs.TypedValue.Run(ctx, r, both)
	check(err == nil && value == 3, value, err)
	rest, body, err := jobs.TypedCut(ctx, r, jobs.Cut{At: 2}, []byte("abcde"))
	check(err == nil && rest.Bytes == 3 && string(body) == "ab", rest, body, err)
	swapped, err := jobs.TypedSwap.Run(ctx, r, []any{"k", -1})
	check(err == nil && reflect.DeepEqual(swapped, []any{-1.0, "k"}), swapped, err)
	answer, err := jobs.TypedAnswer(ctx, r)
	check(err == nil && answer == 42, answer, err)
	loud, err := jobs.TypedShout(ctx, r, "a")
	check(err == nil && loud == "A", loud, err)
	words, err := jobs.TypedReturn.Run(ctx, r, jobs.Class{Class: "c", ContentType: "t", Func: true})
	check(err == nil && words.ContentType == "t" && words.From == nil, words, err)

	// Nil leaves the job its default, and an empty list is one.
	retry := jobs.Retry{X名前: "n", Surface: jobs.Surface{X_2d: &jobs.Surface_2d{X: 1}}}
	whole, err := jobs.TypedWhole.Run(ctx, r, retry)
	check(err == nil && len(whole.RetryOn) == 2 && whole.Within == nil && whole.X名前 == "n", whole, err)
	check(whole.Surface.X_2d.X == 1, whole)
	retry.RetryOn, retry.Within, retry.Surface = []uint16{}, map[string]uint8{}, jobs.Surface{X_3d: &struct{}{}}
	whole, err = jobs.TypedWhole.Run(ctx, r, retry)
	check(err == nil && len(whole.RetryOn) == 0 && whole.Within != nil && whole.Surface.X_3d != nil, whole, err)

	// Names that would be one get a line behind them.
	record := jobs.Record{
		Compared: jobs.Comparison__, Unit: jobs.UnitMb_, Os: jobs.OsLinux, Turn: jobs.Turn{X__: &jobs.Turn_{By: 3}},
		Step: jobs.Step{X_1_: &jobs.Step_1{By: 4}}, Runners: map[string]jobs.Runner{"a": {Id: 5}},
	}
	recorded, err := jobs.TypedRecord.Run(ctx, r, record)
	check(err == nil && reflect.DeepEqual(recorded, record), recorded, err)
	check(recorded.Compared == ">" && recorded.Unit == "MB" && recorded.Turn.X__.By == 3, recorded)
	errno := uint8(jobs.RecordErrorMb_)
	record.Errno = &errno
	_, err = jobs.TypedRecord.Run(ctx, r, record)
	refused, failed := jobs.RecordErrorOf(err)
	check(failed && refused == jobs.RecordErrorMb_ && *record.Errno == 3, err)
}
