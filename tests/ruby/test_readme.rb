# frozen_string_literal: true

# The program at the start of the gem's README prints what stands below it.

require_relative "helper"

class TestReadme < TestCase
  def test_the_first_program_runs_as_it_stands
    readme = File.read(File.expand_path("../../bindings/ruby/README.md", __dir__))
    text, printed = %w[ruby text].map { |language| readme[/^```#{language}\n(.*?)^```/m, 1] }
    assert_equal [0, printed, ""], program(text)
  end
end
