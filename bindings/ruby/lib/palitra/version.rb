# frozen_string_literal: true

module Palitra
  VERSION = "0.2.0"
end
