# frozen_string_literal: true

# What the gem declares of the C ABI is what include/palitra.h says.

require_relative "helper"

class TestNative < TestCase
  NATIVE = Palitra::Native
  TYPES = { "void" => :void, "bool" => :bool, "int" => :int, "size_t" => :size_t, "palitra_status" => :int32,
            "palitra_format" => :int32, "const char *" => :string, "const void *" => :buffer_in }.freeze
  STRUCTS = { Reply: "reply", JobInfo: "job_info", RunnerOptions: "runner_options", Stats: "stats",
              SubmitOptions: "submit_options", Submission: "submission", Event: "event" }.freeze

  # Without comments and macros.
  HEADER = File.read(File.expand_path("../../include/palitra.h", __dir__))
               .gsub(%r{/\*.*?\*/}m, "").gsub(/^#.*?(?<!\\)$/m, "").gsub(/\s+/, " ").freeze

  # A declaration of C, such as "const char *name", as ffi has it. A handle is its number.
  def type_of(declaration)
    type = declaration.strip.sub(/\w+\z/, "").strip
    return :uint64 if type.match?(/\A(struct )?palitra_(runner|token|queue|call)\z/)
    return :pointer if type.match?(/\A(palitra_\w+_fn|.*\*)\z/) && !TYPES.key?(type)

    TYPES.fetch(type) { type.delete_suffix("_t").to_sym }
  end

  def test_the_functions_take_and_return_what_the_header_says
    NATIVE::FUNCTIONS.each do |name, (takes, returns)|
      found = HEADER.match(/([\w ]+?[ *]+)palitra_#{name}\(([^)]*)\);/)
      refute_nil found, name
      arguments = found[2] == "void" ? [] : found[2].split(",")
      assert_equal [arguments.map { |argument| type_of(argument) }, type_of("#{found[1]}x")], [takes, returns], name
    end
  end

  def test_the_structs_have_the_fields_of_the_header
    STRUCTS.each do |ours, theirs|
      fields = HEADER[/typedef struct palitra_#{theirs} \{(.*?)\}/, 1].split(";").map(&:strip).reject(&:empty?)
      place = 0
      expected = fields.map do |field|
        size = FFI.find_type(type_of(field)).size
        # Each field is aligned to its size.
        at = (place + size - 1) / size * size
        place = at + size
        [field[/\w+\z/].to_sym, at]
      end
      struct = NATIVE.const_get(ours)
      assert_equal [expected, (place + 7) / 8 * 8], [struct.offsets, struct.size], theirs
    end
  end

  def test_the_numbers_are_those_of_the_header
    header = File.read(File.expand_path("../../include/palitra.h", __dir__))
    numbers = header.scan(/^#define PALITRA_(\w+) (\d+)u?$/).to_h.transform_values { |number| Integer(number) }
    %i[ABI_VERSION OK PENDING UNKNOWN_JOB ITEM_EVENTS NO_ITEMS INLINE_ONLY FREE_TOKENS].each do |name|
      assert_equal numbers.fetch(name.to_s), NATIVE.const_get(name), name
    end
    assert_equal %w[BYTES TEXT JSON].sort_by { |name| numbers.fetch(name) }.map { |name| name.downcase.to_sym },
                 NATIVE::FORMATS
    Palitra::Error::CLASSES.each do |number, error|
      assert_equal numbers.fetch(error.status.delete_prefix("PALITRA_")), number, error
    end
  end
end
